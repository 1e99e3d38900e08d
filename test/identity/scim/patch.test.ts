import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { ScimError } from '#identity/scim/error.ts';
import { patchUser } from '#identity/scim/patch.ts';
import { enterpriseSchema } from '#identity/scim/schema.ts';
import type { Resource } from '#identity/scim/value.ts';
import { it } from '#test/support/it.ts';
import { directoryOf, patchOf } from '../../http/scim/support.ts';

interface Phone {
  value?: string;
  type?: string;
}

/** A user as plainly as can be: what a PATCH is held against. */
interface Model {
  title?: string;
  givenName?: string;
  department?: string;
  phones: Phone[];
}

/** An operation as it is sent, and what it does to the model. */
interface Step {
  sent: Record<string, unknown>;
  done(model: Model): void;
}

const word = fc.constantFrom('a', 'b', 'c');
const type = fc.constantFrom('work', 'home', 'mobile');
const op = (name: string): fc.Arbitrary<string> =>
  fc.constantFrom(name, name.toUpperCase(), name[0]!.toUpperCase() + name.slice(1));

type Single = 'title' | 'givenName' | 'department';
const paths: Record<Single, readonly string[]> = {
  title: ['title', 'TITLE', 'urn:ietf:params:scim:schemas:core:2.0:User:title'],
  givenName: ['name.givenName', 'NAME.givenname'],
  department: [`${enterpriseSchema}:department`],
};
const single = fc.constantFrom<Single>('title', 'givenName', 'department');

const setOne = fc
  .tuple(single, fc.constantFrom('add', 'replace').chain(op), word, fc.nat())
  .map(([name, verb, value, at]): Step => ({
    sent: { op: verb, path: paths[name][at % paths[name].length], value },
    done: (model) => (model[name] = value),
  }));
const setWithoutPath = fc
  .tuple(single, fc.constantFrom('add', 'replace').chain(op), word, fc.boolean())
  .map(([name, verb, value, dotted]): Step => ({
    sent: {
      op: verb,
      value:
        name === 'title'
          ? { title: value, shoeSize: 41 }
          : name === 'givenName'
            ? dotted
              ? { 'name.givenName': value }
              : { name: { givenName: value } }
            : dotted
              ? { [`${enterpriseSchema}:department`]: value }
              : { [enterpriseSchema]: { department: value } },
    },
    done: (model) => (model[name] = value),
  }));
const clearOne = fc.tuple(single, op('remove'), fc.boolean()).map(([name, verb, byNull]): Step => ({
  sent: byNull
    ? { op: 'replace', path: paths[name][0], value: null }
    : { op: verb, path: paths[name][0] },
  done: (model) => delete model[name],
}));
const addPhone = fc
  .tuple(word, type, op('add'), fc.boolean())
  .map(([value, kind, verb, inArray]): Step => ({
    sent: {
      op: verb,
      path: 'phoneNumbers',
      value: inArray ? [{ value, type: kind }] : { value, type: kind },
    },
    done(model) {
      if (!model.phones.some((one) => one.value === value && one.type === kind))
        model.phones.push({ value, type: kind });
    },
  }));
const replacePhones = fc
  .array(fc.record({ value: word, type }), { maxLength: 3 })
  .map((phones): Step => ({
    sent: { op: 'replace', path: 'phoneNumbers', value: phones },
    done: (model) => (model.phones = phones.map((one) => ({ ...one }))),
  }));
const removePhones = fc.constant<Step>({
  sent: { op: 'remove', path: 'phoneNumbers' },
  done: (model) => (model.phones = []),
});
const removeByType = fc.tuple(type, op('remove')).map(([kind, verb]): Step => ({
  sent: { op: verb, path: `phoneNumbers[type eq "${kind.toUpperCase()}"]` },
  done: (model) => (model.phones = model.phones.filter((one) => one.type !== kind)),
}));
const removeByValue = fc.tuple(word, type).map(([value, kind]): Step => ({
  sent: { op: 'remove', path: 'phoneNumbers', value: [{ value, type: kind }] },
  done: (model) =>
    (model.phones = model.phones.filter((one) => one.value !== value || one.type !== kind)),
}));
const setByType = fc
  .tuple(type, word, fc.constantFrom('add', 'replace'))
  .map(([kind, value, verb]): Step => ({
    sent: { op: verb, path: `phoneNumbers[type eq "${kind}"].value`, value },
    done(model) {
      const hit = model.phones.filter((one) => one.type === kind);
      for (const one of hit) one.value = value;
      if (hit.length === 0) model.phones.push({ type: kind, value });
    },
  }));
const clearByType = fc.tuple(type).map(([kind]): Step => ({
  sent: { op: 'remove', path: `phoneNumbers[type eq "${kind}"].value` },
  done(model) {
    for (const one of model.phones) if (one.type === kind) delete one.value;
  },
}));

const steps = fc.array(
  fc.oneof(
    setOne,
    setWithoutPath,
    clearOne,
    addPhone,
    replacePhones,
    removePhones,
    removeByType,
    removeByValue,
    setByType,
    clearByType,
  ),
  { minLength: 1, maxLength: 6 },
);

function modelOf(resource: Resource): Model {
  const { title, name = {}, phoneNumbers = [], ...rest } = resource as Record<string, never>;
  const { givenName } = name as { givenName?: string };
  const { department } = (rest[enterpriseSchema] ?? {}) as { department?: string };
  return {
    ...(title !== undefined && { title }),
    ...(givenName !== undefined && { givenName }),
    ...(department !== undefined && { department }),
    phones: phoneNumbers,
  };
}

describe('a PATCH', () => {
  it('makes of a user what a plain model makes of one, whatever the sequence', () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 4 }), (patches) => {
        let resource: Resource = { userName: 'ann@acme.example' };
        const model: Model = { phones: [] };
        for (const patch of patches) {
          const before = structuredClone(resource);
          const after = patchUser(resource, patchOf(...patch.map(({ sent }) => sent)));
          for (const { done } of patch) done(model);
          expect(resource).toEqual(before);
          expect(modelOf(after)).toEqual(model);
          resource = after;
        }
      }),
      { numRuns: 400, seed: 11 },
    );
  });

  it('is written as it is answered, and answered as it is read', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const { id } = await entra.user('ann@acme.example');
    const model: Model = { phones: [] };
    await fc.assert(
      fc.asyncProperty(steps, async (patch) => {
        const answer = await entra.patch(`/Users/${id}`, ...patch.map(({ sent }) => sent));
        for (const { done } of patch) done(model);
        expect(modelOf(answer.json)).toEqual(model);
        expect((await entra.get(`/Users/${id}`)).json).toEqual(answer.json);
      }),
      { numRuns: 15, seed: 12, endOnFailure: true },
    );
    expect(server.errors).toEqual([]);
  });

  it('changes the members of a group as a set is changed', async ({ given, program, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e'])
      ids.push((await entra.user(`${name}@acme.example`)).id);
    const { id } = await entra.group('Bridges');
    const some = fc.subarray(ids);
    const members = (list: readonly string[]) => list.map((value) => ({ value }));
    const change = fc.oneof(
      fc.tuple(some, op('add')).map(([list, verb]) => ({
        sent: { op: verb, path: 'members', value: members(list) },
        done: (set: Set<string>) => new Set([...set, ...list]),
      })),
      some.map((list) => ({
        sent: { op: 'replace', value: { members: members(list) } },
        done: () => new Set(list),
      })),
      fc
        .tuple(
          some.filter((list) => list.length > 0),
          op('remove'),
        )
        .map(([list, verb]) => ({
          sent: { op: verb, path: 'members', value: members(list) },
          done: (set: Set<string>) => new Set([...set].filter((one) => !list.includes(one))),
        })),
      fc.constantFrom(...ids).map((gone) => ({
        sent: { op: 'remove', path: `members[value eq "${gone}"]` },
        done: (set: Set<string>) => new Set([...set].filter((one) => one !== gone)),
      })),
      fc.constant({ sent: { op: 'Remove', path: 'members' }, done: () => new Set<string>() }),
    );
    let model = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const answer = await entra.patch(`/Groups/${id}`, ...changes.map(({ sent }) => sent));
        expect(answer.status).toBe(204);
        for (const { done } of changes) model = done(model);
        const read = (await entra.get(`/Groups/${id}`)).json;
        const found = (read.members ?? []).map((one: { value: string }) => one.value);
        expect(new Set(found)).toEqual(model);
        expect(read.meta.version).toBe(answer.headers.etag);
      }),
      { numRuns: 20, seed: 13, endOnFailure: true },
    );
    expect(server.errors).toEqual([]);
  });
});

describe('a PATCH that cannot be', () => {
  const ann: Resource = {
    id: '1',
    userName: 'ann@acme.example',
    name: { givenName: 'Ann' },
    emails: [{ value: 'ann@acme.example', type: 'work', primary: true }],
    active: true,
  };
  const polluted = (): boolean => 'x' in {} || 'polluted' in {};

  it.for([
    [{ op: 'add', path: 'nobody', value: 1 }, 'invalidPath'],
    [{ op: 'add', path: '__proto__.x', value: 1 }, 'invalidPath'],
    [{ op: 'add', path: 'constructor.prototype.x', value: 1 }, 'invalidPath'],
    [{ op: 'add', path: 'toString.x', value: 1 }, 'invalidPath'],
    [{ op: 'add', path: 'emails[0].value', value: 'x' }, 'invalidFilter'],
    [{ op: 'add', path: 'emails.length', value: 9 }, 'invalidPath'],
    [{ op: 'add', path: 'name[givenName eq "Ann"]', value: {} }, 'invalidPath'],
    [{ op: 'replace', path: 'emails[type eq', value: 'x' }, 'invalidPath'],
    [
      { op: 'replace', path: 'emails[type eq "home" or type eq "x"].value', value: 'x' },
      'noTarget',
    ],
    [{ op: 'replace', path: 'emails[value co "z"].value', value: 'x' }, 'noTarget'],
    [{ op: 'remove' }, 'noTarget'],
    [{ op: 'remove', path: 'userName' }, 'mutability'],
    [{ op: 'replace', path: 'userName', value: null }, 'mutability'],
    [{ op: 'replace', path: 'id', value: '2' }, 'mutability'],
    [{ op: 'add', path: 'groups', value: [{ value: 'g' }] }, 'mutability'],
    [{ op: 'add', value: { groups: [{ value: 'g' }] } }, 'mutability'],
    [{ op: 'move', path: 'title', value: 'x' }, 'invalidSyntax'],
    [{ op: 'add', path: 'title' }, 'invalidValue'],
    [{ op: 'add', path: 'title', value: { $ne: null } }, 'invalidValue'],
    [{ op: 'add', path: 'active', value: 0 }, 'invalidValue'],
    [{ op: 'replace', path: 'active', value: [] }, 'invalidValue'],
    [{ op: 'add', value: 'title' }, 'invalidValue'],
    [{ op: 'add', path: ['title'], value: 'x' }, 'invalidPath'],
    [
      {
        op: 'replace',
        path: 'emails',
        value: [
          { value: 'a@acme.example', primary: true },
          { value: 'b@acme.example', primary: true },
        ],
      },
      'invalidValue',
    ],
  ] as const)('is refused: %j', ([operation, scimType]) => {
    const before = structuredClone(ann);
    let refusal: unknown;
    try {
      // What comes before it is not kept either.
      patchUser(ann, patchOf({ op: 'replace', path: 'title', value: 'Boss' }, operation));
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(ScimError);
    expect(refusal).toMatchObject({ status: 400, scimType });
    expect(ann).toEqual(before);
    expect(polluted()).toBe(false);
  });

  it('is none without operations, or without saying that it is one', () => {
    for (const body of [
      {},
      [],
      'x',
      { ...patchOf() },
      { Operations: [{ op: 'remove', path: 'title' }] },
    ])
      expect(() => patchUser(ann, body)).toThrow(ScimError);
  });

  it('leaves aside what a resource says about itself when it is sent back', () => {
    const sent = { id: '1', schemas: ['x'], meta: { version: '9' }, displayName: 'Ann' };
    expect(patchUser(ann, patchOf({ op: 'replace', value: sent }))).toEqual({
      ...ann,
      displayName: 'Ann',
    });
  });

  it('takes the first rank from who had it', () => {
    const after = patchUser(
      ann,
      patchOf({
        op: 'add',
        path: 'emails',
        value: { value: 'b@acme.example', type: 'work', primary: true },
      }),
    );
    expect(after['emails']).toEqual([
      { value: 'ann@acme.example', type: 'work', primary: false },
      { value: 'b@acme.example', type: 'work', primary: true },
    ]);
  });
});
