import { readFile } from 'node:fs/promises';
import type { Api } from '../api.ts';
import { WrongUsage, type Command, type Given, type Said } from '../command.ts';
import { Refused } from '../refused.ts';
import { detailed, listed, record, table } from '../print.ts';
import { accountOption } from '../resolve.ts';
import { within } from './typed.ts';

interface TraceSummary {
  id: string;
  purpose: string;
  outcome: string | null;
  userId: string | null;
  beganAt: string;
}

interface Trace extends TraceSummary {
  steps: { at: string; kind: string; data: Record<string, unknown> }[];
}

interface Health {
  state: string;
  failing: boolean;
  failuresInARow: number;
  lastFailureAt: string | null;
  lastFailure: string | null;
  lastSuccessAt: string | null;
  lastDay: { succeeded: number; failed: number };
  lastMonth: { succeeded: number; failed: number };
  reasons: { outcome: string; count: number }[];
  ends: { what: string; name: string; endsAt: string }[];
}

interface Readiness {
  ready: boolean;
  items: { check: string; level: string; count: number | null; detail: string }[];
}

interface Simulated {
  outcome: string;
  reason: string | null;
  missing: string[];
  person: { email: string | null; givenName: string; familyName: string } | null;
}

interface ReEvaluated {
  counts: Record<'enters' | 'refused' | 'asked' | 'changes' | 'same', number>;
  considered: number;
  unknown: number;
  affected: {
    email: string | null;
    effect: string;
    after: { outcome: string; reason: string | null };
    fields: { name: string }[];
  }[];
}

interface Saml {
  ours: { entityId: string; acsUrl: string; metadataUrl: string };
  entityId: string | null;
  certificates: Certificate[];
  staged: Certificate[];
  metadataUrl: string | null;
  metadataProblem: string | null;
  problem: string | null;
}

interface Certificate {
  fingerprint: string;
  notAfter: string;
}

interface SetupLink {
  id: string;
  contact: string;
  expiresAt: string;
  lastUsedAt: string | null;
  url?: string;
}

const which = [{ name: 'connection', summary: 'Its id.' }];

async function path(api: Api, given: Given): Promise<string> {
  return `${await within(api, given, 'connections')}/${encodeURIComponent(given.args[0]!)}`;
}

function shownSaml(saml: Saml): Said {
  const { ours, metadataProblem } = saml;
  return detailed(saml, {
    'our entity id': ours.entityId,
    'our reply address': ours.acsUrl,
    'our metadata': ours.metadataUrl,
    provider: saml.entityId ?? 'none yet',
    certificates: saml.certificates.map(described),
    ...(saml.staged.length > 0 && { 'not accepted yet': saml.staged.map(described) }),
    ...(saml.metadataUrl && { 'read each day from': saml.metadataUrl }),
    ...(metadataProblem && { 'could not be read': metadataProblem }),
    ...(saml.problem && { missing: saml.problem }),
  });
}

function described({ fingerprint, notAfter }: Certificate): string {
  return `${fingerprint} until ${notAfter}`;
}

/** A file that somebody names, or what they hand over on the standard input. */
async function fileOf(name: string): Promise<string> {
  return readFile(name === '-' ? '/dev/stdin' : name, 'utf8').catch((error: unknown) => {
    throw new Refused('not_found', `${name}: ${(error as { code?: string }).code ?? 'unreadable'}`);
  });
}

async function jsonOf(option: string, name: string): Promise<unknown> {
  try {
    return JSON.parse(await fileOf(name));
  } catch (error) {
    if (error instanceof SyntaxError) throw new WrongUsage(`${option}: ${name} is not JSON.`);
    throw error;
  }
}

/** What helps to connect a company, and to find out why somebody did not come in. */
export const connectionToolCommands: Command[] = [
  {
    noun: 'connection',
    verb: 'traces',
    summary: 'Lists the sign-ins through a connection of the last 30 days.',
    takes: which,
    options: {
      ...accountOption,
      outcome: { value: 'outcome', summary: '`failed`, `succeeded`, or one outcome.' },
    },
    async run(given, { api }) {
      const outcome = given.text('outcome');
      const items = await api.list<TraceSummary>(`${await path(api, given)}/traces`, {
        ...(outcome !== undefined && { outcome }),
      });
      return listed(items, {
        ID: ({ id }) => id,
        AT: ({ beganAt }) => beganAt,
        PURPOSE: ({ purpose }) => purpose,
        OUTCOME: ({ outcome: came }) => came ?? 'not back yet',
        USER: ({ userId }) => userId,
      });
    },
  },
  {
    noun: 'connection',
    verb: 'trace',
    summary: 'Shows one sign-in step by step, by the number that the person was shown.',
    takes: [...which, { name: 'trace', summary: 'Its id.' }],
    options: accountOption,
    async run(given, { api }) {
      const trace = await api.get<Trace>(
        `${await path(api, given)}/traces/${encodeURIComponent(given.args[1]!)}`,
      );
      const steps = trace.steps.map(
        ({ at, kind, data }) => `${at} ${kind}\n${JSON.stringify(data, null, 2)}`,
      );
      return {
        json: trace,
        text: [
          record({ id: trace.id, outcome: trace.outcome ?? 'not back yet', began: trace.beganAt }),
          ...steps,
        ].join('\n\n'),
      };
    },
  },
  {
    noun: 'connection',
    verb: 'health',
    summary: 'Shows how a connection fares, and what of it ends when.',
    takes: which,
    options: accountOption,
    async run(given, { api }) {
      const health = await api.get<Health>(`${await path(api, given)}/health`);
      const { lastDay, lastMonth } = health;
      return detailed(health, {
        state: health.failing ? `${health.state}, failing` : health.state,
        'failures in a row': health.failuresInARow,
        'last success': health.lastSuccessAt ?? 'never',
        ...(health.lastFailure && {
          'last failure': `${health.lastFailureAt ?? ''} ${health.lastFailure}`,
        }),
        'last day': `${lastDay.succeeded} succeeded, ${lastDay.failed} failed`,
        'last 30 days': `${lastMonth.succeeded} succeeded, ${lastMonth.failed} failed`,
        ...(health.reasons.length > 0 && {
          'failed for': health.reasons.map(({ outcome, count }) => `${outcome} (${count})`),
        }),
        ...(health.ends.length > 0 && {
          ends: health.ends.map(({ what, name, endsAt }) => `${what} ${name} at ${endsAt}`),
        }),
      });
    },
  },
  {
    noun: 'connection',
    verb: 'readiness',
    summary: 'Reports whether a connection can be activated, and what that means for whom.',
    takes: which,
    options: accountOption,
    async run(given, { api }) {
      const report = await api.get<Readiness>(`${await path(api, given)}/readiness`);
      return {
        json: report,
        text: [
          report.ready ? 'It can be activated.' : 'It cannot be activated yet.',
          '',
          table(report.items, {
            LEVEL: ({ level }) => level,
            WHAT: ({ check }) => check,
            COUNT: ({ count }) => count,
            MEANING: ({ detail }) => detail,
          }),
        ].join('\n'),
      };
    },
  },
  {
    noun: 'connection',
    verb: 'simulate',
    summary: 'Shows what a sign-in would come to, with another mapping, before it is saved.',
    takes: which,
    options: {
      ...accountOption,
      trace: { value: 'id', summary: 'Replays what this sign-in received.' },
      claims: { value: 'file', summary: 'Claims as JSON, `sub` among them; - reads the input.' },
      response: { value: 'file', summary: 'A SAMLResponse in Base64, as the provider posts it.' },
      token: { value: 'file', summary: 'An ID token, as the provider issues it.' },
      mapping: { value: 'file', summary: 'The mapping to try out, as JSON.' },
    },
    async run(given, { api }) {
      const [traceId, claims, response, token, mapping] = [
        'trace',
        'claims',
        'response',
        'token',
        'mapping',
      ].map((name) => given.text(name));
      if ([traceId, claims, response, token].filter((one) => one !== undefined).length !== 1)
        throw new WrongUsage('Give one of --trace, --claims, --response and --token.');
      const said =
        claims === undefined
          ? null
          : ((await jsonOf('--claims', claims)) as Record<string, unknown> | null);
      if (claims !== undefined && typeof said?.['sub'] !== 'string')
        throw new WrongUsage('--claims: there is no `sub`.');
      const answer = await api.send<{
        saved: Simulated;
        tried: Simulated;
        differences: string[];
        unverified: string | null;
      }>('POST', `${await path(api, given)}/simulate`, {
        ...(said && { assertion: { subject: said['sub'], claims: said } }),
        ...(traceId !== undefined && { traceId }),
        ...(response !== undefined && { samlResponse: (await fileOf(response)).trim() }),
        ...(token !== undefined && { idToken: (await fileOf(token)).trim() }),
        ...(mapping !== undefined && { mapping: await jsonOf('--mapping', mapping) }),
      });
      const { tried } = answer;
      return detailed(answer, {
        ...(answer.unverified !== null && { 'not verified': answer.unverified }),
        outcome: tried.reason === null ? tried.outcome : `${tried.outcome}: ${tried.reason}`,
        ...(tried.missing.length > 0 && { missing: tried.missing }),
        ...(tried.person && {
          person: `${tried.person.givenName} ${tried.person.familyName}`.trim(),
          ...(tried.person.email && { email: tried.person.email }),
        }),
        ...(mapping !== undefined && {
          differs: answer.differences.length > 0 ? answer.differences : 'nothing',
        }),
      });
    },
  },
  {
    noun: 'connection',
    verb: 're-evaluate',
    summary: 'Shows for everybody who came through it what another mapping would change.',
    takes: which,
    options: {
      ...accountOption,
      mapping: { value: 'file', summary: 'The mapping to try out, as JSON.', required: true },
    },
    async run(given, { api }) {
      const found = await api.send<ReEvaluated>('POST', `${await path(api, given)}/re-evaluate`, {
        mapping: await jsonOf('--mapping', given.text('mapping')!),
      });
      const { counts, considered, unknown, affected } = found;
      return {
        json: found,
        text: [
          record({
            'looked at': String(considered),
            'would come in': String(counts.enters),
            'would be refused': String(counts.refused),
            'would be asked': String(counts.asked),
            'would be written otherwise': String(counts.changes),
            'stay as they are': String(counts.same),
            ...(unknown > 0 && { 'linked, but not seen lately': String(unknown) }),
          }),
          ...(affected.length > 0
            ? [
                '',
                table(affected, {
                  WHO: ({ email }) => email,
                  EFFECT: ({ effect }) => effect,
                  AFTER: ({ after }) => after.reason ?? after.outcome,
                  FIELDS: ({ fields }) => fields.map(({ name }) => name).join(', '),
                }),
              ]
            : []),
        ].join('\n'),
      };
    },
  },
  {
    noun: 'connection',
    verb: 'setup-link',
    summary: "Makes a link by which the company's IT sets the connection up. Told once.",
    takes: which,
    options: {
      ...accountOption,
      contact: { value: 'text', summary: 'Whom it is for.' },
      days: { value: 'number', summary: 'How long it works: 7, and 30 at most.' },
      directory: { summary: 'They may connect a directory (SCIM), too.' },
    },
    async run(given, { api }) {
      const contact = given.text('contact');
      const days = given.text('days');
      if (days !== undefined && !/^\d{1,2}$/.test(days))
        throw new WrongUsage('--days is a number of days.');
      const link = await api.send<SetupLink>('POST', `${await path(api, given)}/setup-links`, {
        ...(contact !== undefined && { contact }),
        ...(days !== undefined && { days: Number(days) }),
        directory: given.on('directory'),
      });
      return detailed(link, { id: link.id, url: link.url, 'works until': link.expiresAt });
    },
  },
  {
    noun: 'connection',
    verb: 'setup-links',
    summary: 'Lists the links that work.',
    takes: which,
    options: accountOption,
    async run(given, { api }) {
      const items = await api.list<SetupLink>(`${await path(api, given)}/setup-links`);
      return listed(items, {
        ID: ({ id }) => id,
        FOR: ({ contact }) => contact,
        UNTIL: ({ expiresAt }) => expiresAt,
        'LAST USED': ({ lastUsedAt }) => lastUsedAt,
      });
    },
  },
  {
    noun: 'connection',
    verb: 'revoke-setup-link',
    summary: 'Revokes a link. It opens nothing any more.',
    takes: [...which, { name: 'link', summary: 'Its id.' }],
    options: accountOption,
    async run(given, { api }) {
      const link = encodeURIComponent(given.args[1]!);
      await api.send('DELETE', `${await path(api, given)}/setup-links/${link}`);
      return { json: {}, text: 'Revoked.' };
    },
  },
  {
    noun: 'connection',
    verb: 'saml',
    summary:
      'Shows what a SAML connection knows of its provider, and what the provider needs of us.',
    takes: which,
    options: accountOption,
    async run(given, { api }) {
      return shownSaml(await api.get(`${await path(api, given)}/saml`));
    },
  },
  {
    noun: 'connection',
    verb: 'read-metadata',
    summary: "Reads the SAML provider's metadata, from a file or its address.",
    takes: which,
    options: {
      ...accountOption,
      file: { value: 'file', summary: 'Where it lies; - reads the input.' },
      url: { value: 'url', summary: 'Where it is published; it is read again each day.' },
    },
    async run(given, { api }) {
      const [file, url] = [given.text('file'), given.text('url')];
      if ((file === undefined) === (url === undefined))
        throw new WrongUsage('Give --file or --url.');
      const body = file === undefined ? { url } : { xml: await fileOf(file) };
      return shownSaml(await api.send('POST', `${await path(api, given)}/saml/metadata`, body));
    },
  },
  {
    noun: 'connection',
    verb: 'accept-certificate',
    summary: 'Accepts a certificate of the SAML provider that was found in its metadata.',
    takes: [...which, { name: 'fingerprint', summary: 'Compared with the provider before.' }],
    options: accountOption,
    async run(given, { api }) {
      return shownSaml(
        await api.send('POST', `${await path(api, given)}/saml/certificates`, {
          fingerprint: given.args[1]!.replaceAll(':', '').toLowerCase(),
        }),
      );
    },
  },
  {
    noun: 'connection',
    verb: 'remove-certificate',
    summary: 'Accepts a certificate of the SAML provider no more, at once.',
    takes: [...which, { name: 'fingerprint', summary: 'Which one.' }],
    options: accountOption,
    async run(given, { api }) {
      const fingerprint = given.args[1]!.replaceAll(':', '').toLowerCase();
      return shownSaml(
        await api.send(
          'DELETE',
          `${await path(api, given)}/saml/certificates/${encodeURIComponent(fingerprint)}`,
        ),
      );
    },
  },
];
