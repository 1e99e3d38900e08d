import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect } from 'vitest';
import { webhookSender, type WebhookSender } from '#delivery/webhooks.ts';
import { sealAudit } from '#identity/audit/chain.ts';
import {
  changeWebhook,
  createWebhook,
  decideDelivery,
  listDeliveries,
  listWebhooks,
  replayWebhook,
  rotateWebhookSecret,
  testWebhook,
} from '#identity/events/webhook.ts';
import { egress, egressAllowance } from '#platform/egress.ts';
import { it } from '#test/support/it.ts';
import type { World } from '#test/support/world.ts';

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- what a test looks into it knows
  json: any;
}

const open: Server[] = [];
const senders: WebhookSender[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  await Promise.all(senders.splice(0).map((sender) => sender.stop()));
});

/** An application that takes events. `answer` gives the status of each, or null to say nothing. */
async function receiver(
  answer: (received: Received) => number | null = () => 204,
): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const one = { headers: request.headers, body, json: JSON.parse(body) };
      received.push(one);
      const status = answer(one);
      if (status !== null) response.writeHead(status).end();
    });
  });
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`, received };
}

function sender(given: World, timeoutMs = 1000): WebhookSender {
  const quiet = (): void => {};
  const made = webhookSender({
    foundation: given.foundation,
    egress: egress(egressAllowance(['127.0.0.1'])),
    log: { info: quiet, warn: quiet, error: quiet },
    random: () => 1,
    timeoutMs,
  });
  senders.push(made);
  return made;
}

async function seal({ foundation: { database, vault } }: World): Promise<void> {
  while (((await sealAudit(database, vault)) ?? 1) > 0);
}

/** Seals and sends all there is. */
async function deliver(given: World, by: WebhookSender): Promise<void> {
  await seal(given);
  await by.drain();
}

async function hook(
  given: World,
  account: { id: string } | null,
  url: string,
  actions = ['user.*'],
) {
  await seal(given);
  return given.work((work) =>
    createWebhook(work, given.foundation.vault, account?.id ?? null, { url, actions }),
  );
}

function happen(given: World, account: { id: string }, subject: string, note: string) {
  return given.work(async (work) => {
    work.record('user.changed', { type: 'user', id: subject }, { note }, account.id);
  });
}

describe('a webhook', () => {
  it('hears what happens in its organization, signed, and nothing else', async ({ given }) => {
    const acme = await given.account();
    const beta = await given.account('Beta');
    const { url, received } = await receiver();
    const { webhook, secret } = await hook(given, acme, url);
    await happen(given, acme, 'ann', 'first');
    await happen(given, beta, 'bob', 'of others');
    await given.work(async (work) => {
      work.record('account.changed', { type: 'account', id: acme.id }, {}, acme.id);
    });
    await deliver(given, sender(given));

    expect(received).toHaveLength(1);
    const [{ headers, body, json }] = received as [Received];
    expect(json).toEqual({
      id: expect.stringMatching(/^evt_\d+$/),
      type: 'user.changed',
      occurredAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      account: { id: acme.id },
      subject: { type: 'user', id: 'ann' },
      actor: { type: 'system', id: 'test' },
      data: { note: 'first' },
      sequence: 2,
      reference: null,
    });
    expect(headers['webhook-id']).toBe(json.id);
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    expect(headers['webhook-signature']).toBe(
      `v1,${createHmac('sha256', key).update(signed).digest('base64')}`,
    );
    expect(await listDeliveries(given.foundation.database, acme.id, webhook.id)).toMatchObject([
      { state: 'delivered', type: 'user.changed', status: 204, attempts: 1 },
    ]);
  });

  it('of the operators hears what happens everywhere', async ({ given }) => {
    const acme = await given.account();
    const { url, received } = await receiver();
    await hook(given, null, url, ['*']);
    await happen(given, acme, 'ann', 'first');
    await given.user('carl@nowhere.example');
    await deliver(given, sender(given));
    expect(received.map(({ json }) => [json.type, json.account?.id ?? null])).toEqual([
      ['webhook.created', null],
      ['user.changed', acme.id],
      ['user.added', null],
    ]);
  });

  it('keeps its secret to itself: it is shown once, and sealed', async ({ given }) => {
    const acme = await given.account();
    const { secret, webhook } = await hook(given, acme, 'https://hooks.example/');
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(JSON.stringify(await listWebhooks(given.foundation.database, acme.id))).not.toContain(
      secret,
    );
    const rows = await given.rows('select w::text from webhooks w');
    expect(JSON.stringify(rows)).not.toContain(secret.slice(6));
    expect(webhook).toMatchObject({ state: 'active', waiting: 0 });
  });

  it('signs with both secrets for a day after a change', async ({ given, server }) => {
    const acme = await given.account();
    const { url, received } = await receiver();
    const { webhook } = await hook(given, acme, url);
    await given.work((work) =>
      rotateWebhookSecret(work, given.foundation.vault, acme.id, webhook.id),
    );
    const by = sender(given);
    await happen(given, acme, 'ann', '1');
    await deliver(given, by);
    server.clock.advance(25 * 3600);
    await happen(given, acme, 'ann', '2');
    await deliver(given, by);
    expect(
      received.map(({ headers }) => String(headers['webhook-signature']).split(' ').length),
    ).toEqual([2, 1]);
  });

  it('cannot ask for an action there is not', async ({ given }) => {
    const acme = await given.account();
    for (const actions of [[], ['user.exploded'], ['us*'], ['user.locked', '%']])
      await expect(hook(given, acme, 'https://hooks.example/', actions)).rejects.toMatchObject({
        code: 'invalid_value',
      });
  });
});

describe('events', () => {
  it('of one subject come in order, though the first is refused a few times', async ({
    given,
    server,
  }) => {
    const acme = await given.account();
    let refusals = 2;
    const { url, received } = await receiver(({ json }) =>
      json.data.note === 'ann 1' && refusals-- > 0 ? 500 : 200,
    );
    await hook(given, acme, url);
    for (const note of ['ann 1', 'bob 1', 'ann 2', 'bob 2', 'ann 3'])
      await happen(given, acme, note.slice(0, 3), note);
    const by = sender(given);
    for (let round = 0; round < 4; round += 1) {
      await deliver(given, by);
      server.clock.advance(60);
    }

    const notes = received.map(({ json }) => json.data.note as string);
    expect(notes.filter((note) => note.startsWith('ann'))).toEqual([
      'ann 1',
      'ann 1',
      'ann 1',
      'ann 2',
      'ann 3',
    ]);
    expect(notes.filter((note) => note.startsWith('bob'))).toEqual(['bob 1', 'bob 2']);
    const ids = received
      .filter(({ json }) => json.data.note === 'ann 1')
      .map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids).size).toBe(1);
  });

  it('reach one receiver while another says nothing at all', async ({ given }) => {
    const acme = await given.account();
    const silent = await receiver(() => null);
    const lively = await receiver();
    await hook(given, acme, silent.url);
    await hook(given, acme, lively.url, ['user.changed']);
    for (let index = 0; index < 12; index += 1) await happen(given, acme, `user ${index}`, '');
    await seal(given);
    const by = sender(given, 5000);
    const begun = performance.now();
    await by.turn();
    while (lively.received.length < 12) {
      expect(performance.now() - begun).toBeLessThan(4000);
      await new Promise((resolve) => setTimeout(resolve, 10));
      await by.turn();
    }
    expect(silent.received.length).toBeLessThanOrEqual(4);
  });

  it('are tried for a day; then the webhook is failing, and its administrators are told', async ({
    given,
    server,
  }) => {
    const acme = await given.account();
    await given.user('fay@acme.example', { of: acme, roles: ['account_administrator'] });
    let up = false;
    const { url, received } = await receiver(() => (up ? 200 : 503));
    const { webhook } = await hook(given, acme, url, ['user.changed']);
    await happen(given, acme, 'ann', '1');
    await happen(given, acme, 'ann', '2');
    const by = sender(given);
    for (let hour = 0; hour < 36; hour += 1) {
      await deliver(given, by);
      server.clock.advance(3600);
    }
    const [failing] = await listWebhooks(given.foundation.database, acme.id);
    expect(failing).toMatchObject({ state: 'failing', lastError: 'HTTP 503', waiting: 2 });
    expect(received.length).toBeGreaterThan(15);
    expect(received.length).toBeLessThan(30);
    const before = received.length;
    await happen(given, acme, 'ann', '3');
    await deliver(given, by);
    expect(received.length).toBe(before);
    expect(await given.events()).toContain('webhook.failing');
    const queued = await given.rows<{ letter: string }>(
      `select payload #>> '{letter,kind}' as letter from outbox where kind = 'mail'`,
    );
    expect(queued).toContainEqual({ letter: 'webhook_failing' });

    up = true;
    await given.work((work) => changeWebhook(work, acme.id, webhook.id, { state: 'active' }));
    await deliver(given, by);
    expect(received.slice(before).map(({ json }) => json.data.note)).toEqual(['1', '2', '3']);
  });

  it('stop at once where the receiver says that it is gone', async ({ given }) => {
    const acme = await given.account();
    const { url, received } = await receiver(() => 410);
    await hook(given, acme, url);
    await happen(given, acme, 'ann', '1');
    await happen(given, acme, 'ann', '2');
    await deliver(given, sender(given));
    expect(received).toHaveLength(1);
    expect(await listWebhooks(given.foundation.database, acme.id)).toMatchObject([
      { state: 'failing', lastError: 'HTTP 410' },
    ]);
  });

  it('are sent anew from a point on, with the ids they had', async ({ given, server }) => {
    const acme = await given.account();
    const { url, received } = await receiver();
    const { webhook } = await hook(given, acme, url);
    const by = sender(given);
    await happen(given, acme, 'ann', '1');
    await deliver(given, by);
    server.clock.advance(60);
    const since = given.foundation.clock();
    server.clock.advance(60);
    await happen(given, acme, 'ann', '2');
    await happen(given, acme, 'ann', '3');
    await deliver(given, by);
    await given.work((work) => replayWebhook(work, acme.id, webhook.id, since));
    await deliver(given, by);
    expect(received.map(({ json }) => json.data.note)).toEqual(['1', '2', '3', '2', '3']);
    expect(received[3]!.headers['webhook-id']).toBe(received[1]!.headers['webhook-id']);
  });

  it('can be sent once more, or skipped so that others pass', async ({ given }) => {
    const acme = await given.account();
    const { url, received } = await receiver(({ json }) => (json.data.note === 'bad' ? 400 : 200));
    const { webhook } = await hook(given, acme, url);
    const { database } = given.foundation;
    const by = sender(given);
    await happen(given, acme, 'ann', 'bad');
    await happen(given, acme, 'ann', 'good');
    await deliver(given, by);
    expect(received.map(({ json }) => json.data.note)).toEqual(['bad']);

    const [waiting] = (await listDeliveries(database, acme.id, webhook.id)).filter(
      ({ status }) => status === 400,
    );
    await given.work((work) => decideDelivery(work, acme.id, webhook.id, waiting!.id, 'skip'));
    await deliver(given, by);
    expect(received.map(({ json }) => json.data.note)).toEqual(['bad', 'good']);

    const [done] = await listDeliveries(database, acme.id, webhook.id, { state: 'delivered' });
    await given.work((work) => decideDelivery(work, acme.id, webhook.id, done!.id, 'redeliver'));
    await deliver(given, by);
    expect(received.map(({ json }) => json.data.note)).toEqual(['bad', 'good', 'good']);
  });

  it('are not invented by a test: it is marked as one, and sent once', async ({ given }) => {
    const acme = await given.account();
    const { url, received } = await receiver(() => 500);
    const { webhook } = await hook(given, acme, url);
    await given.work((work) => changeWebhook(work, acme.id, webhook.id, { state: 'paused' }));
    await given.work((work) => testWebhook(work, acme.id, webhook.id));
    await deliver(given, sender(given));
    expect(received).toHaveLength(1);
    expect(received[0]!.json).toMatchObject({ type: 'webhook.test', account: { id: acme.id } });
    expect(await listDeliveries(given.foundation.database, acme.id, webhook.id)).toMatchObject([
      { type: 'webhook.test', state: 'skipped', status: 500, event: null },
    ]);
  });

  it('never reach an address inside, whatever the name says', async ({ given }) => {
    const acme = await given.account();
    const { webhook } = await hook(given, acme, 'https://inside.example/');
    const quiet = (): void => {};
    const by = webhookSender({
      foundation: given.foundation,
      egress: egress(egressAllowance([]), () => Promise.resolve(['169.254.169.254'])),
      log: { info: quiet, warn: quiet, error: quiet },
    });
    await given.work((work) => testWebhook(work, acme.id, webhook.id));
    await deliver(given, by);
    expect(await listDeliveries(given.foundation.database, acme.id, webhook.id)).toMatchObject([
      { state: 'skipped', error: expect.stringContaining('not a public one') },
    ]);
  });

  it('are read by two processes and sent by one of them', async ({ given }) => {
    const acme = await given.account();
    const { url, received } = await receiver();
    await hook(given, acme, url);
    for (let index = 0; index < 30; index += 1)
      await happen(given, acme, `user ${index % 5}`, String(index));
    await seal(given);
    const two = [sender(given), sender(given)];
    await Promise.all(two.map((one) => one.drain()));
    await Promise.all(two.map((one) => one.drain()));
    const notes = received.map(({ json }) => Number(json.data.note));
    expect(notes.toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: 30 }, (_, index) => index),
    );
    for (let subject = 0; subject < 5; subject += 1) {
      const own = notes.filter((note) => note % 5 === subject);
      expect(own).toEqual(own.toSorted((one, other) => one - other));
    }
  });
});
