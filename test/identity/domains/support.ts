import type { Agent } from '#test/support/agent.ts';
import { FakeDns } from '#test/support/dns.ts';
import { it as ordinary } from '#test/support/it.ts';
import { testDatabase } from '#test/support/database.ts';
import { startServer, type TestServer } from '#test/support/server.ts';
import type { World } from '#test/support/world.ts';
import { checkDomains } from '#identity/domains/check-domains.ts';
import { proofNetwork } from '#identity/domains/proof-network.ts';
import { egressAllowance } from '#platform/egress.ts';
import { caller, type Caller } from '../../http/admin/support.ts';

/** Two resolvers that say the same, as long as a test does not have them disagree. */
export class Net {
  readonly one: FakeDns;
  readonly two: FakeDns;

  constructor(one: FakeDns, two: FakeDns) {
    this.one = one;
    this.two = two;
  }

  get servers(): string[] {
    return [this.one.server, this.two.server];
  }

  /** Publishes a text record beside those that are there. */
  publish(record: { name: string; value: string }): void {
    for (const dns of [this.one, this.two])
      dns.set(record.name, { txt: [...(dns.zones.get(record.name)?.txt ?? []), record.value] });
  }

  set(name: string, zone: Parameters<FakeDns['set']>[1]): void {
    for (const dns of [this.one, this.two]) dns.set(name, zone);
  }

  remove(name: string): void {
    for (const dns of [this.one, this.two]) dns.remove(name);
  }
}

interface Fixtures {
  net: Net;
  /** An organization with an Account Administrator, and a program with that one's rights. */
  organization(name: string, options?: { owns?: string[] }): Promise<Organization>;
  operator: Caller;
  /** What the background does: looks at what is due. */
  check(): Promise<number>;
}

export interface Organization extends Caller {
  id: string;
  name: string;
  administrator: { id: string; email: string };
  /** Claims a domain and publishes what it is told to. */
  claimAndPublish(domain: string): Promise<{ name: string; value: string }>;
  verify(domain: string): Promise<Record<string, unknown> & { state: string }>;
  state(domain: string): Promise<string>;
}

export const it = ordinary.extend<Fixtures & { server: TestServer }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads what a fixture needs from the pattern
  net: async ({}, use) => {
    const net = new Net(await FakeDns.start(), await FakeDns.start());
    await use(net);
    await Promise.all([net.one.stop(), net.two.stop()]);
  },
  server: async ({ net }, use) => {
    const { database, reset } = await testDatabase();
    await reset();
    const server = await startServer(database, { config: { dnsServers: net.servers } });
    await use(server);
    await server.close();
  },
  organization: async ({ given, program, net }, use) => {
    await use((name, options) => organizationOf({ given, program, net }, name, options));
  },
  operator: async ({ given, program }, use) => {
    await use(caller(program, await given.apiToken()));
  },
  check: async ({ server, net }, use) => {
    const network = proofNetwork(net.servers, egressAllowance([]));
    await use(() => checkDomains(server.app.foundation, network, { warn: failed }));
  },
});

function failed(details: object): void {
  throw new Error('A domain could not be checked.', { cause: details });
}

async function organizationOf(
  { given, program, net }: { given: World; program: Agent; net: Net },
  name: string,
  options: { owns?: string[] } = {},
): Promise<Organization> {
  const account = await given.account(name, options);
  const email = `fay@${name.toLowerCase()}-mail.example`;
  const administrator = await given.user(email, {
    of: account,
    roles: ['account_administrator'],
    password: null,
    givenName: 'Fay',
    familyName: name,
  });
  const api = caller(program, await given.apiToken(account));
  const base = `/accounts/${account.id}/domains`;
  return {
    ...api,
    ...account,
    administrator,
    async claimAndPublish(domain) {
      const claim = await api.post(base, { domain, method: 'dns' });
      if (claim.status !== 201) throw new Error(`Not claimed: ${claim.text}`);
      const record = claim.json.record as { name: string; value: string };
      net.publish(record);
      return record;
    },
    async verify(domain) {
      const answer = await api.post(`${base}/${domain}/verify`);
      if (answer.status !== 200) throw new Error(`Not looked at: ${answer.text}`);
      return answer.json;
    },
    async state(domain) {
      return (await api.get(`${base}/${domain}`)).json.state as string;
    },
  };
}

/** The mails of one kind that one person was sent. */
export async function mailsTo(
  server: TestServer,
  recipient: string,
  kind?: string,
): Promise<{ subject: string; text: string }[]> {
  await server.app.delivery.drain();
  const mails = await server.given.mails();
  return mails.filter(
    (mail) => mail.recipient === recipient && (kind === undefined || mail.kind === kind),
  );
}
