import {
  addFactorPage,
  enrolPage,
  recoveryCodesPage,
  secondFactorPage,
} from '#http/pages/second-factor.ts';
import { totpView } from '#http/totp-view.ts';
import { hostile, type Sample } from './samples.ts';

const path = '/sign-in/abc';
const email = 'ann@acme.example';
const clientName = 'ProjectWise Explorer';
const choices = ['totp', 'passkey', 'recovery'] as const;
const app = totpView('JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', email);
const codes = Array.from({ length: 10 }, (_, n) => `7K2M-9QXA-0FJ${n}`);

/** The pages about a second factor, at the sign-in and in the profile. */
export const factorSamples: Sample[] = [
  ...choices.map((choice): Sample => ({
    name: `second factor, ${choice}`,
    render: (page) =>
      secondFactorPage({ ...page, path, email, clientName, choices, choice, rememberDays: 14 }),
  })),
  {
    name: 'second factor, wrong code, hostile',
    render: (page) =>
      secondFactorPage({
        ...page,
        path,
        email: hostile,
        clientName: hostile,
        choices: ['totp'],
        choice: 'totp',
        rememberDays: 0,
        error: 'wrong',
      }),
  },
  {
    name: 'second factor, wrong recovery code',
    render: (page) =>
      secondFactorPage({
        ...page,
        path,
        email,
        choices,
        choice: 'recovery',
        rememberDays: 0,
        error: 'wrong',
      }),
  },
  {
    name: 'second factor, passkey failed',
    render: (page) =>
      secondFactorPage({
        ...page,
        path,
        email,
        choices,
        choice: 'passkey',
        rememberDays: 0,
        error: 'passkey',
      }),
  },
  {
    name: 'enrolment',
    render: (page) => enrolPage({ ...page, path: `${path}/enrol`, email, app, clientName }),
  },
  {
    name: 'enrolment, wrong code, hostile',
    render: (page) =>
      enrolPage({
        ...page,
        path: `${path}/enrol`,
        email: hostile,
        app: totpView('JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', 'a'.repeat(200)),
        clientName: hostile,
        error: 'wrong',
      }),
  },
  {
    name: 'recovery codes',
    render: (page) =>
      recoveryCodesPage({
        ...page,
        codes,
        downloadAction: `${path}/enrol/codes`,
        doneAction: `${path}/enrol/done`,
      }),
  },
  {
    name: 'recovery codes, new ones',
    render: (page) =>
      recoveryCodesPage({
        ...page,
        codes,
        renewed: true,
        downloadAction: '/profile/factors/codes/file',
        doneAction: '/profile/factors/kept',
      }),
  },
  { name: 'profile, add an app', render: (page) => addFactorPage({ ...page, app }) },
  {
    name: 'profile, add an app, limit',
    render: (page) => addFactorPage({ ...page, app, error: 'limit' }),
  },
  {
    name: 'profile, add a passkey',
    render: (page) => addFactorPage({ ...page, app: null, error: 'passkey' }),
  },
];
