import type { Context } from 'koa';
import { rankOf } from '#identity/access/roles.ts';
import type { PasswordDependencies } from '#identity/credentials/check-password.ts';
import type { SecondFactorPolicy } from '#identity/sign-in/second-factor-policy.ts';
import type { Person } from '#identity/users/person.ts';
import { unitOfWork, type Work } from '#identity/work.ts';
import { again } from '../../again.ts';
import { originOf, pageContext } from '../../context.ts';
import type { DeviceCookie } from '../../device-cookie.ts';
import type { PageContext } from '../../layout.ts';
import type { CurrentSession } from '../../sessions.ts';
import { posted, type Posted, type PostedDependencies } from '../posted.ts';

export interface ProfileDependencies extends PostedDependencies {
  passwords: PasswordDependencies;
  device: DeviceCookie;
  /** The installation's own rule of who has to have a second factor. */
  secondFactorPolicy: SecondFactorPolicy;
}

/** What every part of the profile is answered with. */
export interface ProfileDesk extends Omit<ProfileDependencies, 'kept'> {
  forms: Posted;
  /** Carries out what a person does to themselves. */
  as<T>(ctx: Context, person: Person, command: (work: Work) => Promise<T>): Promise<T>;
  pageOf(ctx: Context, session: CurrentSession): ProfilePage;
  /** What was just done, as the address says. */
  doneText(ctx: Context, page: PageContext): string | undefined;
  /** Sends the browser to the page again, so that a reload sends nothing twice. */
  done(ctx: Context, path: string, what: keyof typeof doneTexts): void;
}

/** What every page of the profile knows. */
export interface ProfilePage extends PageContext {
  email: string;
  administers: boolean;
}

export function profileDesk({ kept, ...dependencies }: ProfileDependencies): ProfileDesk {
  const { passwords, sessions, csrf } = dependencies;
  const forms = posted({ sessions, csrf, kept });
  return {
    ...dependencies,
    forms,

    as(ctx, person, command) {
      const actor = { type: 'user', id: person.id, email: person.email } as const;
      return again(() => unitOfWork(passwords, { actor, origin: originOf(ctx) }, command));
    },

    pageOf(ctx, session) {
      const { person } = session;
      return {
        ...pageContext(ctx, { profile: person.language }),
        csrf: forms.token(ctx, session),
        email: person.email ?? '',
        administers: rankOf(person.roles) > 0,
      };
    },

    doneText(ctx, { t }) {
      const what = ctx.query['done'];
      return typeof what === 'string' && what in doneTexts
        ? t(doneTexts[what as keyof typeof doneTexts])
        : undefined;
    },

    done(ctx, path, what) {
      ctx.status = 303;
      ctx.redirect(`${path}?done=${what}`);
    },
  };
}

const doneTexts = {
  saved: 'profile.saved',
  password: 'profile.password.changed',
  session: 'profile.sessions.ended',
  requested: 'profile.data.requested',
  factor_added: 'mfa.profile.added',
  factor_removed: 'mfa.profile.removed',
  factor_renamed: 'mfa.profile.renamed',
} as const;
