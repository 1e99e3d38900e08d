import type { PageContext } from '#http/layout.ts';
import type { ConsoleFrame } from '#http/pages/console/frame.ts';
import { conflictsPage } from '#http/pages/console/connection-conflicts.ts';
import { connectionPage, stepPage } from '#http/pages/console/connection.ts';
import { mappingPage, previewPage } from '#http/pages/console/connection-mapping.ts';
import { linkedPeoplePage } from '#http/pages/console/connection-people.ts';
import { samlPage } from '#http/pages/console/connection-saml.ts';
import { connectionSettingsPage } from '#http/pages/console/connection-settings.ts';
import { simulatePage } from '#http/pages/console/connection-simulation.ts';
import { countryOptions } from '#http/countries.ts';
import { conflictReasons } from '#identity/federation/conflicts.ts';
import { usualClaims } from '#identity/federation/mapping.ts';
import type { Sample } from '../samples.ts';

const at = new Date('2026-11-22T09:30:00Z');
const long = 'Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetzbeauftragte';
const id = '01a202bd-efb0-7c68-9c51-000000000001';

function within(page: PageContext): ConsoleFrame {
  return {
    ...page,
    email: 'fay@acme.example',
    account: { id, name: 'Acme', status: 'active' },
    acting: false,
    menu: [],
    zone: 'Europe/Berlin',
  };
}

const connection = { id, name: `Acme ${long}`, kind: 'saml' as const };
const values = {
  a_identifier: 'email',
  mode: 'jit',
  groups_claim: 'teams',
  groups_absent: 'deny',
  groups_rules: `bridges = Bridges\n${long} = ${long}`,
  new_roles: ['reader'],
  new_groups: 'Bridges',
};

/** A connection as its administrators see it, in every room of it. */
export const connectionSamples: Sample[] = [
  {
    name: 'connections, who does not fit',
    render: (page) =>
      conflictsPage({
        ...within(page),
        conflicts: conflictReasons.map((reason, index) => ({
          id,
          reason,
          userId: index % 2 === 0 ? null : id,
          email: index === 0 ? `${long}@acme.example` : 'ann@acme.example',
          connectionId: reason === 'member_elsewhere' ? null : id,
          traceId: reason === 'member_elsewhere' ? null : id,
          times: index + 1,
          lastAt: at,
        })),
        may: true,
        nextCursor: null,
        later: false,
      }),
  },
  {
    name: 'connection, in trouble',
    render: (page) =>
      connectionPage({
        ...within(page),
        connection: {
          ...connection,
          kind: 'oidc',
          preset: 'entra',
          state: 'testing',
          mode: 'optional',
          domains: ['acme.example'],
          failing: true,
          issuer: 'https://login.microsoftonline.com/01a202bd-efb0-7c68-9c51-000000000001/v2.0',
          testedAt: at,
          activatedAt: null,
          enforcedAt: null,
          testers: ['ann@acme.example'],
          lastSuccessAt: null,
          lastFailureAt: at,
          lastFailure: 'upstream_unreachable: timed out',
          signOutUpstream: true,
        },
        signedOutUri: 'https://id.example.com/federation/1/signed-out',
        failures: 22,
        figures: { day: { succeeded: 0, failed: 22 }, month: { succeeded: 3, failed: 22 } },
        reasons: [{ outcome: 'upstream_unreachable', count: 22 }],
        readiness: {
          ready: false,
          members: { total: 12, linked: 3, passwordEnds: 5, breakGlass: 0 },
          items: [
            { level: 'error', count: null, detail: page.t('readiness.never_tested'), people: [] },
            {
              level: 'warning',
              count: 2,
              detail: page.t('readiness.other_ids'),
              people: ['ann@acme.example', `${long}@acme.example`],
            },
          ],
        },
        secrets: [{ id, hint: 'abcd', createdAt: at, expiresAt: at }],
        links: [{ id, contact: 'Ida', expiresAt: at, lastUsedAt: null }],
        testUrl: null,
        failure: page.t('rooms.connection.not_ready'),
        problems: ['not_tested', 'something else'],
        errors: {},
        may: true,
      }),
  },
  {
    name: 'connection, activate without an emergency administrator',
    render: (page) =>
      stepPage({
        ...within(page),
        id,
        name: connection.name,
        step: 'activate',
        withoutBreakGlass: true,
      }),
  },
  {
    name: 'connection, passwords end',
    render: (page) => stepPage({ ...within(page), id, name: connection.name, step: 'enforce' }),
  },
  {
    name: 'connection, settings',
    render: (page) =>
      connectionSettingsPage({
        ...within(page),
        connection: { ...connection, kind: 'oidc' },
        values: {
          name: connection.name,
          preset: 'entra',
          issuer: 'https://idp.acme.example',
          clientId: 'ostiary',
          scopes: 'openid email',
          clientAuthentication: 'client_secret_post',
          userinfo: true,
          sendsAuthTime: false,
          domains: ['acme.example'],
          testers: 'ann@acme.example',
        },
        domains: ['acme.example', `${long}.example`],
        errors: { scopes: page.t('connection.scopes_hint') },
      }),
  },
  {
    name: 'connection, mapping',
    render: (page) =>
      mappingPage({
        ...within(page),
        connection,
        values,
        usual: usualClaims.saml,
        countries: countryOptions(page.t.locale),
        roles: [{ key: 'reader', name: 'Reader' }],
        errors: { groups_rules: page.t('connection.wrong_rule', { line: long }) },
      }),
  },
  {
    name: 'connection, mapping tried out',
    render: (page) =>
      previewPage({
        ...within(page),
        connection,
        values,
        found: {
          counts: { enters: 1, refused: 2, asked: 0, changes: 3, same: 40 },
          considered: 46,
          unknown: 4,
          more: true,
          affected: (['enters', 'refused', 'asked', 'changes'] as const).map((effect) => ({
            effect,
            traceId: id,
            at,
            userId: effect === 'enters' ? null : id,
            email: `${effect}-${long}@acme.example`,
            before: 'sign_in',
            after: effect === 'refused' ? 'claim_missing' : 'sign_in',
            fields: effect === 'changes' ? [{ name: 'givenName', before: 'Ann', after: long }] : [],
            given: effect === 'changes' ? [long] : [],
            taken: effect === 'refused' ? ['reader'] : [],
          })),
        },
      }),
  },
  {
    name: 'connection, simulated',
    render: (page) => {
      const one = {
        outcome: 'refuse',
        reason: 'claim_missing',
        bound: true,
        mapped: { identifier: 'ann@acme.example', givenName: long },
        person: null,
        grants: {},
      };
      return simulatePage({
        ...within(page),
        connection,
        typed: { subject: 'a1', claims: '{}', response: '', trace: '' },
        trial: values,
        found: {
          saved: one,
          tried: one,
          differences: ['person.givenName'],
          issuedAt: at,
          pasted: true,
          unverified: null,
        },
        errors: {},
      });
    },
  },
  {
    name: 'connection, certificates',
    render: (page) =>
      samlPage({
        ...within(page),
        connection,
        ours: {
          entityId: `https://id.example.com/federation/${id}/metadata`,
          acsUrl: `https://id.example.com/federation/${id}/acs`,
          sloUrl: `https://id.example.com/federation/${id}/slo`,
        },
        keys: [{ id, fingerprint: 'ab'.repeat(32), createdAt: at, expiresAt: at }],
        theirs: {
          entityId: 'https://idp.acme.example/saml',
          redirect: 'https://idp.acme.example/saml/sso',
          post: null,
          metadataUrl: 'https://idp.acme.example/saml/metadata',
          metadataReadAt: at,
          metadataProblem: 'The provider names another address for requests.',
        },
        certificates: [true, false].map((staged) => ({
          fingerprint: (staged ? 'cd' : 'ef').repeat(32),
          subject: `CN=${long}`,
          notBefore: at,
          notAfter: at,
          since: at,
          staged,
        })),
        values: {
          subjectAttribute: '',
          mutableSubject: false,
          nameIdFormat: '',
          binding: '',
          encryption: true,
        },
        formats: ['urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'],
        errors: {},
        may: true,
      }),
  },
  {
    name: 'connection, linked people',
    render: (page) =>
      linkedPeoplePage({
        ...within(page),
        connection,
        links: [
          {
            id,
            userId: id,
            email: `${long}@acme.example`,
            subject: long,
            how: 'domain_authority',
            linkedAt: at,
            lastUsedAt: at,
          },
        ],
        nextCursor: 'abc',
        later: false,
        may: true,
      }),
  },
];
