import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { Connection } from '#identity/federation/connection.ts';
import {
  createConnection,
  requireConnection,
  type ConnectionInput,
} from '#identity/federation/manage.ts';
import { addSecret } from '#identity/federation/secrets.ts';
import type { Agent, Answer } from '#test/support/agent.ts';
import { authorizeUrl } from '#test/support/sign-in.ts';
import { FakeProvider } from '#test/support/upstream.ts';
import type { GivenClient, GivenUser, World } from '#test/support/world.ts';

/** A provider for the tests of a file, behaving well at the start of each. */
export function provider(): FakeProvider {
  const fake = new FakeProvider();
  beforeAll(async () => {
    await fake.start();
  });
  beforeEach(() => {
    fake.misbehaviour = {};
    fake.requests.length = 0;
    fake.secrets = ['the secret of the company'];
    fake.person = { sub: 'nobody' };
  });
  afterAll(() => fake.stop());
  return fake;
}

/** A connection that is in use, whatever it would take to get there. */
export async function connected(
  given: World,
  account: { id: string },
  upstream: FakeProvider,
  {
    state = 'active',
    enforced = false,
    secrets = ['the secret of the company'],
    ...input
  }: ConnectionInput & {
    state?: Connection['state'];
    enforced?: boolean;
    secrets?: string[];
  } = {},
): Promise<Connection> {
  return given.work(async (work) => {
    const made = await createConnection(work, account.id, {
      kind: 'oidc',
      name: 'Acme sign-in',
      issuer: upstream.issuer,
      oidc: { clientId: upstream.clientId },
      domains: ['acme.example'],
      ...input,
    });
    for (const value of secrets)
      await addSecret(work, given.foundation.vault, made, {
        kind: 'client_secret',
        value,
        expiresAt: null,
      });
    await work.query(
      `update connections set state = $2, mode = $3, enforced_at = $4, activated_at = $5
       where id = $1`,
      [
        made.id,
        state,
        enforced ? 'enforced' : 'optional',
        enforced ? new Date(work.now.getTime() - 1000) : null,
        work.now,
      ],
    );
    return requireConnection(work, account.id, made.id);
  });
}

/** Dan, as his company knows him. */
export const dan = {
  sub: 'dan-1',
  email: 'dan@acme.example',
  given_name: 'Dan',
  family_name: 'Dale',
  country: 'US',
};

/** Types the address at an application's sign-in; gives back where the browser is sent then. */
export async function leave(
  browser: Agent,
  client: GivenClient,
  email: string,
  extra: Record<string, string | null> = {},
): Promise<Answer> {
  const page = await browser.follow(await browser.get(authorizeUrl(client, extra)));
  if (page.location) return page;
  return browser.follow(await browser.submit(page.forms[0]!, { email }));
}

/** At the provider, which answers at once: the address it sends the browser back to. */
export async function atProvider(answer: Answer): Promise<string> {
  if (!answer.location) throw new Error(`It does not go to a provider: ${answer.words}`);
  const response = await fetch(answer.location, { redirect: 'manual' });
  const back = response.headers.get('location');
  if (back === null) throw new Error(`The provider sends nobody back: ${response.status}`);
  return back;
}

/** From the address to what the person sees after their provider. */
export async function signInUpstream(
  browser: Agent,
  client: GivenClient,
  email: string,
  extra: Record<string, string | null> = {},
): Promise<Answer> {
  const away = await leave(browser, client, email, extra);
  return browser.follow(await browser.get(await atProvider(away)));
}

/** Everything a refused sign-in must not leave behind. */
export async function traceless(given: World): Promise<Record<string, number>> {
  const [row] = await given.rows<Record<string, number>>(
    `select (select count(*)::int from users) as users,
            (select count(*)::int from federated_links) as links,
            (select count(*)::int from oidc_sessions where user_id is not null) as sessions,
            (select count(*)::int from oidc_artifacts where model <> 'Interaction') as tokens`,
  );
  return row!;
}

/** Why nobody came in, by the audit log. */
export async function refusals(given: World): Promise<string[]> {
  const rows = await given.rows<{ reason: string }>(
    `select details ->> 'reason' as reason from audit_events
     where action = 'federation.refused' order by id`,
  );
  return rows.map(({ reason }) => reason);
}

/** Where the application's browser is sent without anybody being asked anything. */
export async function silent(browser: Agent, client: GivenClient): Promise<URL> {
  return (await browser.follow(await browser.get(authorizeUrl(client, { prompt: 'none' }))))
    .location!;
}

/** An administrator who could come in without the company. */
export async function breakGlass(given: World, account: { id: string }): Promise<GivenUser> {
  const eve = await given.user('eve@acme.example', {
    of: account,
    roles: ['account_administrator'],
  });
  await given.rows('update users set break_glass = true, second_factor_at = now() where id = $1', [
    eve.id,
  ]);
  return eve;
}
