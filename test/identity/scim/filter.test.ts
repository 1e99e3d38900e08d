import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { ScimError } from '#identity/scim/error.ts';
import { readFilter } from '#identity/scim/filter/condition.ts';
import { holds } from '#identity/scim/filter/evaluate.ts';
import { list, type ListRequest } from '#identity/scim/list.ts';
import { everything, projection, represent, withAlias } from '#identity/scim/projection.ts';
import type { ResourceType } from '#identity/scim/attribute.ts';
import { accountSchema, enterpriseSchema, groups, users } from '#identity/scim/schema.ts';
import type { Complex, Resource } from '#identity/scim/value.ts';
import { directoryOf } from '../../http/scim/support.ts';
import { it } from '#test/support/it.ts';
import type { World } from '#test/support/world.ts';

const request: ListRequest = {
  filter: undefined,
  sortBy: undefined,
  descending: false,
  startIndex: 1,
  count: 200,
  cursor: undefined,
  // Nothing is left out by this, but people are looked at one by one.
  wanted: { attributes: null, excluded: ['password'] },
};

const words = ['Ann', 'ann', 'ÄNN', 'a%', 'a_n', 'a\\b', 'é"', '東京', 'x', 'İz', '1.5', 'true'];
const word = fc.constantFrom(...words);

/** An attribute, the operators it takes, and what it is compared with. */
const texts = [
  'userName',
  'externalId',
  'displayName',
  'name.familyName',
  'name.givenName',
  'name.middleName',
  'title',
  'nickName',
  'emails',
  'emails.type',
  'emails.display',
  'phoneNumbers.value',
  'phoneNumbers',
  'addresses.locality',
  'groups.display',
  'roles',
  `${enterpriseSchema}:department`,
  `${enterpriseSchema}:manager.displayName`,
  `${accountSchema}:lockReasons`,
  `${accountSchema}:managedBy`,
  'URN:ietf:params:scim:schemas:core:2.0:User:USERNAME',
];
const comparison = fc.constantFrom(
  'eq',
  'ne',
  'co',
  'sw',
  'ew',
  'gt',
  'ge',
  'lt',
  'le',
  'EQ',
  'Sw',
);
const quoted = (text: string): string => JSON.stringify(text);
const values = fc.oneof(
  { weight: 4, arbitrary: word },
  {
    weight: 2,
    arbitrary: fc.constantFrom('ann@acme.example', 'Bob@ACME.example', 'acme', '@', 'work'),
  },
  { weight: 1, arbitrary: fc.constantFrom('Bridge', 'directory', 'administrator', '') },
);

const simple = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom(...texts), comparison, values)
      .map(([path, op, value]) => `${path} ${op} ${quoted(value)}`),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(...texts, 'name', 'addresses', 'active', 'meta.created')
      .map((path) => `${path} pr`),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          'active',
          `${accountSchema}:isSoftDeleted`,
          'phoneNumbers.primary',
          'emails.primary',
        ),
        fc.constantFrom('eq', 'ne'),
        fc.constantFrom('true', 'false', '"False"', '"TRUE"'),
      )
      .map((parts) => parts.join(' ')),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'title eq null',
      `schemas eq "${enterpriseSchema}"`,
      'schemas co "enterprise"',
      'nickName ne null',
      'meta.created gt "2020-01-01T00:00:00Z"',
      'meta.lastModified lt "2020-01-01"',
      'externalId eq Ann',
    ),
  },
);

const valuePath = fc
  .tuple(
    fc.constantFrom('emails', 'phoneNumbers', 'addresses'),
    fc.array(
      fc.oneof(
        fc.constantFrom('type eq "work"', 'type eq "HOME"', 'primary eq true', 'type pr'),
        fc.tuple(comparison, values).map(([op, value]) => `type ${op} ${quoted(value)}`),
      ),
      { minLength: 1, maxLength: 3 },
    ),
    fc.constantFrom(' and ', ' or '),
    fc.boolean(),
    fc.option(values),
  )
  .map(([path, terms, glue, negated, sub]) => {
    const inner = terms.join(glue);
    const filter = negated ? `not (${inner})` : inner;
    return sub !== null && path !== 'addresses'
      ? `${path}[${filter}].value co ${quoted(sub)}`
      : `${path}[${filter}]`;
  });

const { filter } = fc.letrec<{ filter: string; term: string }>((tie) => ({
  term: fc.oneof(
    { weight: 4, arbitrary: simple },
    { weight: 2, arbitrary: valuePath },
    { weight: 1, arbitrary: tie('filter').map((one) => `not (${one})`) },
    { weight: 1, arbitrary: tie('filter').map((one) => `(${one})`) },
  ),
  filter: fc
    .array(fc.tuple(tie('term'), fc.constantFrom(' and ', ' or ', ' OR ')), {
      minLength: 1,
      maxLength: 4,
    })
    .map((terms) => terms.map(([term, glue], at) => (at === 0 ? term : glue + term)).join('')),
}));

describe('a filter', () => {
  it('finds the same people in the database as when each is looked at', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    await given.user('byhand@acme.example', { of: acme, familyName: 'ÄNN' });
    const people = fc.sample(
      fc.record(
        {
          externalId: word,
          displayName: word,
          title: word,
          nickName: word,
          active: fc.boolean(),
          name: fc.record(
            { familyName: word, givenName: word, middleName: word },
            { requiredKeys: [] },
          ),
          phoneNumbers: fc.array(
            fc.record(
              { value: word, type: fc.constantFrom('work', 'home') },
              { requiredKeys: ['value'] },
            ),
            { maxLength: 2 },
          ),
          addresses: fc.array(
            fc.record(
              {
                locality: word,
                type: fc.constantFrom('work', 'home'),
                primary: fc.constant(false),
              },
              { requiredKeys: ['type'] },
            ),
            { maxLength: 2 },
          ),
          roles: fc.array(fc.record({ value: word }), { maxLength: 2 }),
          [enterpriseSchema]: fc.record({ department: word }),
        },
        { requiredKeys: [] },
      ),
      { numRuns: 14, seed: 7 },
    );
    const made: { id: string }[] = [];
    for (const [at, one] of people.entries()) {
      const extension = one[enterpriseSchema] ?? {};
      const manager = made[at - 3];
      made.push(
        await entra.user(`${['Ann', 'bob', 'c'][at % 3]}${at || ''}@acme.example`, {
          ...one,
          emails: [
            {
              value: `${['Ann', 'bob', 'c'][at % 3]}${at || ''}@acme.example`,
              type: 'work',
              primary: true,
            },
            ...(at % 2
              ? [{ value: `p${at}@home.example`, type: 'home', display: words[at % 12] }]
              : []),
          ],
          [enterpriseSchema]: { ...extension, ...(manager && { manager: { value: manager.id } }) },
        }),
      );
    }
    await entra.group('Bridge', made.slice(0, 4));
    await entra.group('ÄNN', made.slice(2, 6));

    const context = {
      sql: server.app.foundation.database,
      accountId: acme.id,
      cursorKeys: [Buffer.alloc(32)],
      base: 'https://id.example/scim/v2',
      now: server.clock(),
    };
    const everybody = await list(context, [users], request);
    expect(everybody.total).toBe(15);
    const resources = everybody.resources.map(({ resource }) => asSeen(resource));
    // A filter that everybody passes, or nobody, tells little.
    let telling = 0;
    await fc.assert(
      fc.asyncProperty(filter, async (text) => {
        const found = await list(context, [users], { ...request, filter: text });
        const ids = found.resources.map(({ resource }) => String(resource['id']));
        const condition = readFilter(users, text);
        const expected = resources
          .filter((one) => holds(condition, one))
          .map((one) => String(one['id']));
        expect(ids).toEqual(expected);
        expect(found.total).toBe(expected.length);
        if (expected.length > 0 && expected.length < resources.length) telling += 1;
      }),
      { numRuns: 150, seed: 20261122, endOnFailure: true },
    );
    expect(telling).toBeGreaterThan(40);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('Bridge', 'bridge', 'Br', 'ÄNN', 'none'),
        comparison,
        fc.constantFrom(...made.slice(0, 7)),
        async (name, op, member) => {
          const text = `displayName ${op} ${quoted(name)} and not (members eq "${member.id}") or members[value eq "${member.id}" and type eq "User"]`;
          await same(context, groups, text);
        },
      ),
      { numRuns: 30, seed: 3, endOnFailure: true },
    );
    await sameAsText(context, given, made);
    expect(server.errors).toEqual([]);
  });

  it('never breaks on what it is given', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 80 }),
          fc
            .array(
              fc.constantFrom(
                '(',
                ')',
                '[',
                ']',
                '"',
                '\\',
                '\n',
                'not',
                'and',
                'or',
                'eq',
                'pr',
                ' ',
                '.',
                'userName',
                'emails',
                '$ref',
                '§0',
                'true',
                '\u0000',
                '\ud800',
              ),
              { maxLength: 30 },
            )
            .map((parts) => parts.join('')),
        ),
        (text) => {
          try {
            readFilter(users, text);
          } catch (error) {
            expect(error).toBeInstanceOf(ScimError);
            expect(error).toMatchObject({ status: 400, scimType: 'invalidFilter' });
          }
        },
      ),
      { numRuns: 1500, seed: 5 },
    );
  });

  it.for([
    ['userName eq "a', 'a text that has no end'],
    [`userName eq "${'\\n'.repeat(20)}`, 'line breaks in a text that has no end'],
    ['('.repeat(5000) + 'active eq true' + ')'.repeat(5000), 'five thousand brackets'],
    [
      Array.from({ length: 700 }, (_, at) => `title eq "${at}" `).join('or '),
      'more terms than anybody has',
    ],
    [
      Array.from({ length: 120 }, (_, at) => `title co "${at}"`).join(' or '),
      'terms that are looked for one by one',
    ],
    ['title eq "x" '.repeat(700), 'more than eight thousand characters'],
    ['not title pr', 'not without brackets'],
    ["userName eq 'ann@acme.example'", 'a text in other quotes'],
    ['userName eq “ann@acme.example”', 'a text in the quotes of a letter'],
    ['emails[type[value eq "x"]]', 'a filter of values in another'],
    ['a.b.c.d eq "x"', 'a path that goes on'],
    ['__proto__ eq "x"', 'what every object has'],
    ['constructor.prototype pr', 'what every object has, further down'],
    ['active gt true', 'more than true'],
    ['meta.created co "2020"', 'a part of a moment'],
    ['meta.created gt "soon"', 'a moment that is none'],
    ['active eq "maybe"', 'a flag that is neither'],
    ['nobody eq "x"', 'an attribute that is none'],
    ['userName like "x"', 'an operator that is none'],
    ['name eq "x"', 'what has parts'],
    ['password pr', 'what is never shown'],
    ['userName gt null', 'more than nothing'],
    ['', 'nothing at all'],
    ['userName eq', 'no value'],
    ['emails[type eq "work"', 'a bracket that stays open'],
    ['userName eq "\\u00"', 'a text that is not written as in JSON'],
    ['userName eq "\\u0000"', 'a NUL'],
    ['userName eq "\\ud800"', 'half a character'],
  ] as const)('refuses at once $1', ([text]) => {
    const began = performance.now();
    expect(() => readFilter(users, text)).toThrow(ScimError);
    expect(performance.now() - began).toBeLessThan(1000);
  });

  it('takes many names at once: they are one look at an index', () => {
    const text = Array.from({ length: 200 }, (_, at) => `userName eq "p${at}@a.example"`).join(
      ' or ',
    );
    expect(readFilter(users, text)).toMatchObject({ op: 'among', values: { length: 200 } });
  });

  it('reads escapes as JSON does, and words without quotes', () => {
    expect(readFilter(users, 'title eq "\\u00e9\\\\\\""')).toMatchObject({ value: 'é\\"' });
    expect(readFilter(users, 'externalId eq jyoung')).toMatchObject({ value: 'jyoung' });
    expect(readFilter(users, 'externalId eq 4711')).toMatchObject({ value: '4711' });
  });
});

function asSeen(resource: Resource): Resource {
  const extensions = users.extensions.map(({ schema }) => schema.id).filter((id) => id in resource);
  return {
    ...resource,
    schemas: [users.schema.id, ...extensions],
    [accountSchema]: withAlias(resource[accountSchema] as Complex, resource),
  };
}

/** The two ways to a page: through objects, and put together as text by the database. */
async function sameAsText(
  context: Parameters<typeof list>[0],
  given: World,
  [ann, bob, carl, dora]: readonly { id: string }[],
): Promise<void> {
  const person = `(select user_id from affiliations where id = $1)`;
  const set = (who: { id: string } | undefined, what: string): Promise<unknown> =>
    given.rows(what.replace('$2', person), [who!.id]);
  await set(
    ann,
    `update users set last_login_at = '2026-01-02 03:04:05.678912Z', entitlement_country = 'DE',
       language = 'fr', job_title = e'"\\\\/\n\u2028' where id = $2`,
  );
  for (const reason of ['directory', 'admin'])
    await set(
      bob,
      `insert into user_locks (id, user_id, reason, set_by, set_at)
       values (gen_random_uuid(), $2, '${reason}', '{}', now())`,
    );
  await given.terms('1');
  await set(
    carl,
    `insert into terms_acceptances (id, user_id, version_id, locale, sha256, accepted_at)
     select gen_random_uuid(), $2, id, 'en', 'x', '2026-02-03 04:05:06Z' from terms_versions`,
  );
  await set(
    dora,
    `update affiliations set provisional = true, external_id = null, attributes =
       '{"preferredLanguage": "de-AT", "x509Certificates": [{"value": "YQ=="}], "10": {}}' where id = $1`,
  );
  await set(carl, `update affiliations set given_name = '', family_name = '' where id = $1`);
  for (const sortBy of [undefined, 'userName', 'nickName']) {
    const asked = { ...request, sortBy, descending: sortBy === 'userName' };
    const { resources } = await list(context, [users], asked);
    const { texts } = await list(context, [users], { ...asked, wanted: everything });
    expect(texts!.map((text) => JSON.parse(text) as unknown)).toEqual(
      resources.map(({ resource }) =>
        represent(users, resource, projection(users, everything), context.base),
      ),
    );
  }
}

async function same(
  context: Parameters<typeof list>[0],
  type: ResourceType,
  text: string,
): Promise<void> {
  const all = await list(context, [type], request);
  const found = await list(context, [type], { ...request, filter: text });
  const condition = readFilter(type, text);
  expect(found.resources.map(({ resource }) => resource['id'])).toEqual(
    all.resources
      .filter(({ resource }) => holds(condition, resource))
      .map(({ resource }) => resource['id']),
  );
}
