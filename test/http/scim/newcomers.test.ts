import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { enterpriseSchema } from '#identity/scim/schema.ts';
import { invite } from '#identity/belonging/invite.ts';
import type { Agent } from '#test/support/agent.ts';
import { counting } from '#test/support/counting.ts';
import { it } from '#test/support/it.ts';
import { connectedSaml } from '#test/support/saml-connection.ts';
import type { World } from '#test/support/world.ts';
import { directoryOf, user, type Directory } from './support.ts';

/** `X.example` stands for the domain of whichever of two companies is asked. */
const address = fc.constantFrom(
  ...Array.from({ length: 16 }, (_, n) => `new${n}@X.example`),
  'New1@X.example',
  'invited@X.example',
  'new1@fed.X.example',
  'new2@fed.X.example',
  'member@X.example',
  'stranger@X.example',
  'somebody@free.example',
  'somebody@gmail.com',
  'no address',
);

const text = fc.constantFrom('Pat', 'O\\"Neil', '東京', '');

const said = fc.record(
  {
    name: fc.record({ givenName: text, familyName: text, formatted: text }, { requiredKeys: [] }),
    displayName: text,
    externalId: text,
    title: text,
    preferredLanguage: fc.constantFrom('de', 'en-GB'),
    phoneNumbers: fc.constantFrom([{ value: '+49 30 1234567', type: 'work' }], []),
    addresses: fc.constant([{ country: 'DE', type: 'work' }]),
    [enterpriseSchema]: fc.record({ department: text }),
  },
  { requiredKeys: [] },
);

/** What does not stand in a new row alone, or is refused. */
const more = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  fc.constantFrom<Record<string, unknown>>(
    { active: false },
    { active: 'True' },
    { active: 7 },
    { emails: [{ value: 'home@elsewhere.example', type: 'home' }] },
    { password: 'a long enough sentence' },
    { password: 'short' },
    { nickName: ['no text'] },
    { [enterpriseSchema]: { manager: { value: 'nobody' } } },
  ),
);

const person = fc
  .tuple(address, said, more)
  .map(([userName, described, rest]) => user(userName, { ...described, ...rest }));

describe('people whom a directory brings together', () => {
  it('become what they would become one after the other, and as much is written and sent', async ({
    given,
    program,
    server,
  }) => {
    const [one, other] = [await company(given, program, 'a'), await company(given, program, 'b')];
    const rounds = fc.sample(fc.array(person, { minLength: 8, maxLength: 16 }), {
      numRuns: 8,
      seed: 11,
    });
    const statuses: string[] = [];
    for (const [round, people] of rounds.entries()) {
      const together = await one.directory.post('/Bulk', bulk(ofCompany(people, one, round)));
      const alone: unknown[] = [];
      for (const body of ofCompany(people, other, round)) {
        const { status, json } = await other.directory.post('/Users', body);
        alone.push([String(status), ...(status < 400 ? [] : [json.scimType, json.detail])]);
        statuses.push(String(status));
      }
      expect(anonymous(together.json.Operations.map(outcome))).toEqual(anonymous(alone));
      expect(await stateOf(given, one)).toEqual(await stateOf(given, other));
    }
    expect(statuses.filter((status) => status === '201').length).toBeGreaterThan(40);
    expect(statuses.filter((status) => status !== '201').length).toBeGreaterThan(20);
    expect(server.errors).toEqual([]);
  });

  it('are made in their order: nobody behind the one at which it stops', async ({
    given,
    program,
  }) => {
    const { directory } = await company(given, program, 'a');
    const people = ['p1', 'p2', 'p1', 'p3'].map((name) => user(`${name}@a.example`));
    const { json } = await directory.post('/Bulk', { ...bulk(people), failOnErrors: 1 });
    expect(json.Operations.map(outcome)).toEqual([
      ['201'],
      ['201'],
      ['409', 'uniqueness', 'p1@a.example is already in your account.'],
    ]);
    expect((await directory.filter('/Users', 'userName sw "p"')).json.totalResults).toBe(2);
  });

  it('can be referred to by who comes behind them', async ({ given, program }) => {
    const { directory } = await company(given, program, 'a');
    const people = ['p1', 'p2', 'p3'].map((name) => user(`${name}@a.example`));
    people.push(
      user('p4@a.example', { [enterpriseSchema]: { manager: { value: 'bulkId:p2@a.example' } } }),
    );
    const { json } = await directory.post('/Bulk', bulk(people));
    const [, p2, , p4] = json.Operations.map(({ location }: { location: string }) =>
      location.slice(location.lastIndexOf('/') + 1),
    );
    expect((await directory.get(`/Users/${p4}`)).json[enterpriseSchema].manager.value).toBe(p2);
  });

  it('wait for one another where two requests bring the same, and nobody is there twice', async ({
    given,
    program,
    server,
  }) => {
    const { directory } = await company(given, program, 'a');
    const people = Array.from({ length: 30 }, (_, n) => user(`p${n}@a.example`));
    const answers = await Promise.all(
      [people, people.toReversed(), people].map((all) => directory.post('/Bulk', bulk(all))),
    );
    const all = answers.flatMap(({ json }) => json.Operations.map(outcome));
    expect(all.filter(([status]: string[]) => status === '201')).toHaveLength(30);
    expect(all.filter(([status]: string[]) => status === '409')).toHaveLength(60);
    expect((await directory.filter('/Users', 'userName sw "p"')).json.totalResults).toBe(30);
    expect(server.errors).toEqual([]);
  });

  it('cost no more statements than two hundred at once', async ({ given, program, server }) => {
    const { directory } = await company(given, program, 'a');
    const count = counting(server);
    const people = (many: number, name: string) =>
      bulk(Array.from({ length: many }, (_, n) => user(`${name}${n}@a.example`)));
    await directory.get('/Users?count=0');
    const few = await count(() => directory.post('/Bulk', people(2, 'few')));
    const many = await count(() => directory.post('/Bulk', people(200, 'many')));
    expect(many.length).toBe(few.length);
    expect(few.length).toBeLessThanOrEqual(10);
  });
});

interface Company {
  name: string;
  account: { id: string };
  directory: Directory;
}

/** A company with two domains, in one of which its provider signs people in, and some history. */
async function company(given: World, agent: Agent, name: string): Promise<Company> {
  const account = await given.account(`Company ${name}`, {
    owns: [`${name}.example`, `fed.${name}.example`],
  });
  await connectedSaml(given, account, { domains: [`fed.${name}.example`] });
  await given.user(`member@${name}.example`, { of: account });
  await given.user(`stranger@${name}.example`);
  const inviter = await given.account(`Inviter ${name}`);
  await given.work((work) =>
    invite(work, inviter, {
      email: `invited@${name}.example`,
      givenName: '',
      familyName: '',
      country: null,
      roles: [],
      groups: [],
      entitlementCountry: null,
    }),
  );
  return { name, account, directory: await directoryOf(given, agent, account) };
}

/** As this company says it; nobody is of a round before. */
function ofCompany<T>(people: T, { name }: Company, round: number): T {
  const told = JSON.stringify(people)
    .replaceAll('X.example', `${name}.example`)
    .replaceAll(/new(\d+)@/gi, `new$1.${round}@`);
  return JSON.parse(told) as T;
}

function bulk(people: readonly Record<string, unknown>[]): Record<string, unknown> {
  return {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
    Operations: people.map((data, at) => ({
      method: 'POST',
      path: '/Users',
      bulkId:
        people.findIndex((one) => one['userName'] === data['userName']) === at
          ? data['userName']
          : `${at}`,
      data,
    })),
  };
}

interface Told {
  status: string;
  response?: { scimType?: string; detail?: string };
}

function outcome({ status, response }: Told): unknown[] {
  return [status, ...(response ? [response.scimType, response.detail] : [])];
}

/** Without what no two companies share: ids, moments, their names. */
function anonymous(value: unknown): unknown {
  const told = JSON.stringify(value)
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'id')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'moment')
    .replaceAll(/([@.])[ab]\.example/g, '$1X.example')
    .replaceAll(/(Company|Inviter) [ab]/g, '$1');
  return JSON.parse(told) as unknown;
}

/** Everybody of the company, what was written down about them, and what they were sent. */
async function stateOf(given: World, { name, account, directory }: Company): Promise<unknown> {
  const people = await directory.get('/Users?count=1000&sortBy=userName');
  const told = await given.rows(
    `select u.email, e.action, e.details, e.account_id is null as nobodys
     from audit_events e join users u on u.id::text = e.target_id
     where u.account_id = $1 order by u.email, e.id`,
    [account.id],
  );
  const invitations = await given.rows(
    `select i.email, i.state, (select count(*)::int from audit_events e
       where e.target_id = i.id::text and e.action = 'invitation.superseded') as told
     from invitations i where i.email like '%@' || $1 || '.example'`,
    [name],
  );
  const links = await given.rows(
    `select u.email, t.purpose, t.used_at is null as open, t.secret_hash is not null as secret
     from one_time_tokens t join users u on u.id = t.user_id where u.account_id = $1
     order by u.email, t.used_at nulls last`,
    [account.id],
  );
  const mails = await given.rows(
    `select o.payload #>> '{to,email}' as to, o.payload -> 'letter' as letter,
       o.payload #> '{to,name}' as name, o.payload #> '{to,locale}' as locale
     from outbox o join users u on u.id::text = o.subject where u.account_id = $1
     order by 1, o.id`,
    [account.id],
  );
  return anonymous([people.json, told, invitations, links, mails]);
}
