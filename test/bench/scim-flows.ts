import { enterpriseSchema, groupSchema, userSchema } from '#identity/scim/schema.ts';
import type { Flow, Place } from './flows.ts';
import type { Browser, WireAnswer } from './wire.ts';

/** What a directory does again and again. The same is asked of us and of raw SQL behind Koa. */

const patchSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

function headersOf({ scim }: Place): string {
  return `Authorization: Bearer ${scim!.token}\r\nContent-Type: application/scim+json\r\nAccept: application/scim+json\r\n`;
}

function requireStatus(wanted: number, answer: WireAnswer): WireAnswer {
  if (answer.status !== wanted)
    throw new Error(`${answer.status} came back:\n${answer.head}\n\n${answer.body.slice(0, 1500)}`);
  return answer;
}

function any<T>(list: readonly T[]): T {
  return list[Math.floor(Math.random() * list.length)]!;
}

let made = 0;

/** A name nobody has yet, also not from a run before. */
function newName(): string {
  made += 1;
  return `new-${process.pid}-${Date.now().toString(36)}-${made}@acme.example`;
}

function newUser(userName: string): Record<string, unknown> {
  return {
    schemas: [userSchema, enterpriseSchema],
    userName,
    externalId: userName,
    active: true,
    name: { givenName: 'Pat', familyName: 'Newcomer' },
    emails: [{ value: userName, type: 'work', primary: true }],
    [enterpriseSchema]: { department: 'Bridges' },
  };
}

type Send = (method: string, path: string, body?: unknown) => Promise<WireAnswer>;

/** One client's way to ask. */
function sender(browser: Browser, place: Place): Send {
  const headers = headersOf(place);
  return (method, path, body) =>
    browser.send(
      method,
      `/scim/v2${path}`,
      headers,
      body === undefined ? undefined : JSON.stringify(body),
    );
}

function flow(
  operation: (
    send: Send,
    place: Place,
    index: number,
  ) => (() => Promise<void>) | Promise<() => Promise<void>>,
): Flow {
  return {
    requests: 1,
    prepare: async (browser, place, index) => operation(sender(browser, place), place, index),
  };
}

function finding(filterOf: (userName: string) => string, most: number): Flow {
  return flow((send, { scim }) => async () => {
    const filter = encodeURIComponent(filterOf(any(scim!.users).userName));
    const answer = requireStatus(200, await send('GET', `/Users?filter=${filter}&count=${most}`));
    if (!answer.body.includes('"totalResults":') || answer.body.includes('"totalResults":0'))
      throw new Error(`Nobody was found: ${answer.body.slice(0, 500)}`);
  });
}

/** A group of each client's own. */
async function ownGroup(send: Send): Promise<string> {
  const body = { schemas: [groupSchema], displayName: `Bench ${newName()}` };
  const answer = requireStatus(201, await send('POST', '/Groups', body));
  return (JSON.parse(answer.body) as { id: string }).id;
}

/** Puts somebody in, and out again. */
function oneMember(id: string, send: Send, { scim }: Place): () => Promise<void> {
  let last: string | null = null;
  return async () => {
    const value = any(scim!.users).id;
    requireStatus(
      204,
      await send('PATCH', `/Groups/${id}`, {
        schemas: [patchSchema],
        Operations: [
          last === null
            ? { op: 'add', path: 'members', value: [{ value }] }
            : { op: 'remove', path: 'members', value: [{ value: last }] },
        ],
      }),
    );
    last = last === null ? value : null;
  };
}

export const scimFlows: Record<string, Flow> = {
  scim_create: flow((send) => async () => {
    requireStatus(201, await send('POST', '/Users', newUser(newName())));
  }),

  scim_get: flow((send, { scim }) => async () => {
    requireStatus(200, await send('GET', `/Users/${any(scim!.users).id}`));
  }),

  scim_eq: finding((userName) => `userName eq "${userName}"`, 100),
  // A beginning of which there are few, whatever the number of people.
  scim_sw: finding((userName) => `userName sw "${userName.split('@')[0]}"`, 20),
  // A part of their name: everybody's domain is in nobody's question.
  scim_co: finding((userName) => `userName co "${userName.split('@')[0]!.slice(1)}"`, 20),

  scim_patch: flow((send, { scim }) => async () => {
    requireStatus(
      200,
      await send('PATCH', `/Users/${any(scim!.users).id}`, {
        schemas: [patchSchema],
        Operations: [{ op: 'replace', path: 'displayName', value: `Pat ${Math.random()}` }],
      }),
    );
  }),

  scim_list: flow((send) => async () => {
    requireStatus(200, await send('GET', '/Users?count=100'));
  }),

  /** Goes through the list, page by page, and begins again at its end. */
  scim_cursor: flow((send) => {
    let cursor = '';
    return async () => {
      const { body } = requireStatus(200, await send('GET', `/Users?count=100&cursor=${cursor}`));
      cursor = /"nextCursor":"([^"]+)"/.exec(body)?.[1] ?? '';
    };
  }),

  scim_group_1: flow(async (send, place) => oneMember(await ownGroup(send), send, place)),

  /** The same where ten thousand others are in it. */
  scim_group_full: flow((send, place, index) => {
    const { groups } = place.scim!;
    return oneMember(groups[index % groups.length]!, send, place);
  }),

  scim_group_1000: flow(async (send, { scim }) => {
    const id = await ownGroup(send);
    const members = scim!.users.slice(0, 1000).map(({ id: value }) => ({ value }));
    return async () => {
      requireStatus(
        204,
        await send('PATCH', `/Groups/${id}`, {
          schemas: [patchSchema],
          Operations: [
            { op: 'remove', path: 'members' },
            { op: 'add', path: 'members', value: members },
          ],
        }),
      );
    };
  }),

  scim_bulk: flow((send) => async () => {
    const answer = requireStatus(
      200,
      await send('POST', '/Bulk', {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
        Operations: Array.from({ length: 1000 }, (_, at) => ({
          method: 'POST',
          path: '/Users',
          bulkId: String(at),
          data: newUser(newName()),
        })),
      }),
    );
    if (answer.body.includes('"status":"4') || answer.body.includes('"status":"5'))
      throw new Error(`An operation failed: ${answer.body.slice(0, 500)}`);
  }),
};
