import type { Actor } from '#identity/access/actor.ts';
import { createApiToken } from '#identity/access/api-token.ts';
import { grantRole } from '#identity/access/roles.ts';
import { Account } from '#identity/accounts/account.ts';
import { createClient, type NewClient } from '#identity/applications/manage-clients.ts';
import { openApproval } from '#identity/belonging/open-approval.ts';
import { storePassword } from '#identity/credentials/password.ts';
import {
  acceptTerms,
  publishTerms,
  type NewTerms,
  type TermsVersion,
} from '#identity/terms/terms.ts';
import { affiliate } from '#identity/users/affiliate.ts';
import { createUser } from '#identity/users/create-user.ts';
import { lockUser } from '#identity/users/lock.ts';
import type { LockReason } from '#identity/users/locks.ts';
import { findPerson, type Person } from '#identity/users/person.ts';
import type { Identity } from '#identity/users/user.ts';
import { unitOfWork, type Foundation, type Work } from '#identity/work.ts';
import { newId } from '#platform/ids.ts';
import { passwordHasher, type PasswordHasher } from '#platform/password-hash.ts';

/** What everybody's password is, unless a test says otherwise. */
export const password = 'a long enough sentence';

/** What was hashed once, by who hashed it: tests make many people with one password. */
const hashes = new WeakMap<PasswordHasher, Map<string, Promise<string>>>();

export interface GivenUser {
  id: string;
  email: string;
  password: string;
}

export interface GivenClient {
  id: string;
  secret: string;
  redirectUri: string;
}

/** Makes organizations, people and applications as a test needs them. */
export class World {
  readonly foundation: Foundation;
  /** Tells the running server that applications changed. */
  readonly #changed: () => Promise<void>;
  readonly #hasher: PasswordHasher;

  constructor(
    foundation: Foundation,
    changed: () => Promise<void> = () => Promise.resolve(),
    hasher: PasswordHasher = passwordHasher(),
  ) {
    this.foundation = foundation;
    this.#changed = changed;
    this.#hasher = hasher;
  }

  /** Runs a rule as the test. */
  work<T>(
    command: (work: Work) => Promise<T>,
    actor: Actor = { type: 'system', id: 'test' },
  ): Promise<T> {
    return unitOfWork(this.foundation, { actor }, command);
  }

  account(
    name = 'Acme',
    {
      owns = [],
      number = null,
      countries = ['US', 'DE'],
    }: { owns?: readonly string[]; number?: string | null; countries?: string[] } = {},
  ): Promise<{ id: string; name: string }> {
    return this.work(async (work) => {
      const account = work.em.create(Account, {
        id: newId(),
        name,
        number,
        countries,
        status: 'active',
        settings: {},
        createdAt: work.now,
        updatedAt: work.now,
      });
      await work.em.flush();
      for (const domain of owns)
        await work.query(
          `insert into domains (id, account_id, name, state, proof, signup, owned_at, created_at)
           values ($1, $2, $3, 'owned', 'dns', 'approve', $4, $4)`,
          [newId(), account.id, domain, work.now],
        );
      return { id: account.id, name };
    });
  }

  /** A person who can sign in, has accepted what there is to accept, and belongs where `of` says. */
  async user(
    email = 'ann@acme.example',
    {
      of,
      roles = [],
      accepts = true,
      identity = 'ready',
      givenName = email.split('@')[0]!,
      familyName = 'Archer',
      ...options
    }: {
      of?: { id: string };
      roles?: readonly string[];
      accepts?: boolean;
      identity?: Identity;
      password?: string | null;
      givenName?: string;
      familyName?: string;
    } = {},
  ): Promise<GivenUser> {
    const chosen = options.password === undefined ? password : options.password;
    const hash = chosen === null ? null : await hashOf(this.#hasher, chosen);
    return this.work(async (work) => {
      const id = await createUser(work, {
        email: email.toLowerCase(),
        emailDisplay: email,
        givenName,
        familyName,
        country: 'US',
        identity,
        source: 'local',
      });
      if (hash !== null) await storePassword(work, id, hash);
      if (of) await affiliate(work, id, of.id, 'test', { entitlementCountry: 'US' });
      for (const role of roles)
        await grantRole(work, id, role, role === 'operator' ? null : (of?.id ?? null));
      const person = (await findPerson(work, id, work.now))!;
      if (accepts)
        await acceptTerms(work, {
          userId: id,
          accountId: of?.id ?? null,
          clientId: null,
          interaction: null,
          accepted: person.outstandingTerms.map((terms) => ({
            id: terms,
            locale: 'en',
            sha256: 'test',
            kind: 'tos',
            version: 'test',
          })),
        });
      return { id, email, password: chosen ?? '' };
    });
  }

  /** A first-party application that takes anybody, unless told otherwise. */
  async client(input: Partial<NewClient> & { redirectUri?: string } = {}): Promise<GivenClient> {
    const { redirectUri = 'https://rp.example/cb', metadata, ...rest } = input;
    const made = await this.work((work) =>
      createClient(work, {
        name: 'Planner',
        firstParty: true,
        requiresAccount: false,
        ...rest,
        metadata: {
          redirect_uris: [redirectUri],
          post_logout_redirect_uris: ['https://rp.example/signed-out'],
          grant_types: ['authorization_code', 'refresh_token'],
          ...metadata,
        },
      }),
    );
    await this.#changed();
    return { id: made.client.id, secret: made.secret ?? '', redirectUri };
  }

  async resource(identifier = 'https://api.example/', scopes = ['api:read']): Promise<string> {
    await this.foundation.database.query(
      `insert into resource_servers (identifier, name, scopes, created_at) values ($1, 'API', $2, $3)
       on conflict do nothing`,
      [identifier, scopes, this.foundation.clock()],
    );
    await this.#changed();
    return identifier;
  }

  terms(version = '1', input: Partial<NewTerms> = {}): Promise<TermsVersion> {
    return this.work((work) =>
      publishTerms(work, {
        kind: 'tos',
        version,
        effectiveAt: work.now,
        requiresReaccept: true,
        texts: [{ locale: 'en', title: 'Terms of Service', body: `Version **${version}**.` }],
        ...input,
      }),
    );
  }

  async locked(
    user: { id: string },
    reason: LockReason,
    note: string | null = null,
  ): Promise<void> {
    await this.work((work) => lockUser(work, user.id, reason, { note }));
  }

  /** A person without account waits for one to let them in. */
  async waiting(user: { id: string }, account: { id: string }): Promise<string> {
    await this.work((work) =>
      openApproval(work, { userId: user.id, accountId: account.id, source: 'registration' }),
    );
    const [request] = await this.rows<{ id: string }>(
      `select id from approval_requests where user_id = $1 and state = 'open'`,
      [user.id],
    );
    return request!.id;
  }

  /** `owner` lets `trusted` add people of its domain. */
  async trust(owner: { id: string }, trusted: { id: string }, domain: string): Promise<void> {
    await this.foundation.database.query(
      `insert into domain_requests (id, kind, domain, owner_id, claimant_id, state, requested_by, requested_at)
       values ($1, 'access', $2, $3, $4, 'granted', '{}', now())`,
      [newId(), domain, owner.id, trusted.id],
    );
  }

  async hold(account: { id: string }, reason = 'The invoice is open.'): Promise<void> {
    await this.work(async (work) => {
      const found = await work.em.findOneOrFail(Account, { id: account.id });
      found.hold(reason, work.now);
    });
  }

  apiToken(
    of: { id: string } | null = null,
    role: 'account_administrator' | 'co_administrator' = 'account_administrator',
  ) {
    return this.work(async (work) => {
      const { secret } = await createApiToken(work, {
        name: 'test',
        accountId: of?.id ?? null,
        role: of === null ? 'operator' : role,
      });
      return secret;
    });
  }

  /** An operator, and a token that they made for themselves. */
  async operator(email: string): Promise<{ user: GivenUser; token: string }> {
    const user = await this.user(email, { roles: ['operator'] });
    const { secret } = await this.work(
      (work) => createApiToken(work, { name: email, accountId: null, role: 'operator' }),
      { type: 'user', id: user.id },
    );
    return { user, token: secret };
  }

  person(user: { id: string }): Promise<Person | null> {
    return findPerson(this.foundation.database, user.id, this.foundation.clock());
  }

  /** What was written down, oldest first. */
  async events(): Promise<string[]> {
    const rows = await this.foundation.database.query<{ action: string }>(
      'select action from audit_events order by id',
    );
    return rows.map(({ action }) => action);
  }

  /** The mails that were sent, oldest first. */
  mails(): Promise<
    { kind: string; recipient: string; subject: string; text: string; html: string }[]
  > {
    return this.foundation.database.query('select * from mailbox order by id');
  }

  rows<Row = Record<string, unknown>>(text: string, params: string[] = []): Promise<Row[]> {
    return this.foundation.database.query<Row>(text, params);
  }
}

function hashOf(hasher: PasswordHasher, chosen: string): Promise<string> {
  const known = hashes.get(hasher) ?? new Map<string, Promise<string>>();
  hashes.set(hasher, known);
  let hash = known.get(chosen);
  if (!hash) known.set(chosen, (hash = hasher.hash(chosen)));
  return hash;
}
