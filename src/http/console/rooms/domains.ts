import { requireAccount } from '#identity/access/rights.ts';
import { findRoles } from '#identity/access/service-roles.ts';
import { attestDomain } from '#identity/domains/attest-domain.ts';
import { cancelClaim, claimDomain } from '#identity/domains/claim-domain.ts';
import { typedDomain } from '#identity/domains/claimable.ts';
import { countConflicts, listConflicts } from '#identity/domains/conflicts.ts';
import {
  findDomain,
  isOwned,
  proofMethods,
  signupModes,
  takeDomain,
} from '#identity/domains/domain.ts';
import { includeSubdomains } from '#identity/domains/subdomains.ts';
import {
  approveWaiting,
  countWaiting,
  countWaitingByDomain,
  askElsewhere,
  takeInExisting,
} from '#identity/domains/existing-people.ts';
import { domainEntry, listDomains, nextActions } from '#identity/domains/list-domains.ts';
import type { Finding } from '#identity/domains/look-for-proof.ts';
import { proofRecord } from '#identity/domains/proof-record.ts';
import { releaseDomain } from '#identity/domains/release-domain.ts';
import {
  decideRequest,
  endRequest,
  listRequests,
  requestDomain,
} from '#identity/domains/requests.ts';
import { changeDefaults, changeSignup } from '#identity/domains/signup.ts';
import {
  announceTransfer,
  carryOutTransfer,
  lookAtBoth,
  stopTransfer,
} from '#identity/domains/transfer-domain.ts';
import { concludeLook, lookAtDomain } from '#identity/domains/verify-domain.ts';
import { Refusal, type RefusalCode } from '#identity/refusal.ts';
import { domainForPeople } from '#identity/users/email.ts';
import { originOf } from '../../context.ts';
import { countryOptions } from '../../countries.ts';
import { domainPage, releasePage } from '../../pages/console/domain.ts';
import { claimPage, domainsPage } from '../../pages/console/domains.ts';
import type { Room, Visit } from '../room.ts';
import { Typed } from '../typed.ts';

const fresh = { fresh: true };

/** The email domains of the account: claimed, proved, let go; and how their people come in. */
export const domains: Room = {
  menu: {
    path: '/domains',
    title: 'rooms.domains',
    section: 'organization',
    right: 'domains:read',
  },
  open(door) {
    door.get('/domains', 'domains:read', (visit) => showList(visit));

    door.get('/domains/claim', 'domains:manage', (visit) => showClaim(visit), fresh);
    door.post('/domains/claim', 'domains:manage', (visit) => claim(visit), fresh);

    door.get('/domains/:domain', 'domains:read', (visit) => showOne(visit));
    door.post('/domains/:domain/verify', 'domains:manage', (visit) => verify(visit));
    door.post('/domains/:domain/sign-up', 'domains:manage', (visit) => changeComing(visit), {
      ...fresh,
      repeated: ['roles', 'groups'],
    });
    door.post(
      '/domains/:domain/subdomains',
      'domains:manage',
      async (visit) => {
        const name = nameIn(visit);
        await visit.act((work, { account }) =>
          includeSubdomains(work, account.id, name, visit.value('include') === 'yes'),
        );
        visit.done(`/domains/${name}#subdomains`, visit.t('rooms.saved'));
      },
      fresh,
    );
    door.post('/domains/:domain/approve-waiting', 'domains:manage', async (visit) => {
      const name = nameIn(visit);
      const { items, left } = await visit.act((work, { asking, account }) =>
        approveWaiting(work, asking, account, name),
      );
      const approved = items.filter(({ result }) => result === 'approved').length;
      visit.done(
        `/domains/${name}#sign-up`,
        visit.say('rooms.domain.approved', { n: approved, left }),
      );
    });
    door.post('/domains/:domain/take-in', 'domains:manage', async (visit) => {
      const name = nameIn(visit);
      const wanted = visit.value('as');
      if (wanted === 'asked') {
        const asked = await visit.act((work, { account }) => askElsewhere(work, account, name));
        return visit.done(
          `/domains/${name}#impact`,
          visit.say('rooms.impact.were_asked', { n: asked.taken, left: asked.left }),
        );
      }
      const as = wanted === 'members' ? 'members' : 'requests';
      const { taken, left } = await visit.act((work, { asking, account }) =>
        takeInExisting(work, asking, account, name, as),
      );
      visit.done(`/domains/${name}#impact`, visit.say('rooms.impact.taken', { n: taken, left }));
    });

    door.get('/domains/:domain/release', 'domains:manage', (visit) => showRelease(visit), fresh);
    door.post('/domains/:domain/release', 'domains:manage', (visit) => release(visit), fresh);

    door.post('/domains/:domain/request', 'domains:requests', async (visit) => {
      const name = nameIn(visit);
      const typed = new Typed(visit);
      const message = typed.text('message', 500, { optional: true });
      if (!typed.ok) return showOne(visit, { errors: typed.errors });
      const kind = visit.value('kind') === 'release' ? 'release' : 'access';
      await visit.act((work, { account }) =>
        requestDomain(work, account.id, name, kind, message || null),
      );
      visit.done('/domains#requests', visit.t('rooms.request.sent'));
    });
    for (const decision of ['grant', 'refuse'] as const)
      door.post(
        `/domain-requests/:requestId/${decision}`,
        'domains:requests',
        async (visit) => {
          await visit.act((work, { account }) =>
            decideRequest(work, account.id, visit.params['requestId']!, decision),
          );
          visit.done('/domains', visit.t('rooms.request.decided'));
        },
        fresh,
      );
    door.post('/domain-requests/:requestId/end', 'domains:requests', async (visit) => {
      await visit.act((work, { account }) =>
        endRequest(work, account.id, visit.params['requestId']!),
      );
      visit.done('/domains', visit.t('rooms.request.decided'));
    });

    door.post('/domains/:domain/operator', 'domains:attest', (visit) => operate(visit), fresh);
  },
};

async function showList(visit: Visit): Promise<void> {
  const { sql, now, account } = visit;
  const [entries, requests, waiting] = await Promise.all([
    listDomains(sql, account.id, now),
    listRequests(sql, account.id, now),
    countWaitingByDomain(sql, account.id),
  ]);
  visit.show(
    domainsPage({
      ...visit.page,
      domains: entries.map(({ domain, users }) => ({
        name: domain.name,
        shown: domainForPeople(domain.name),
        state: domain.state,
        signup: domain.signup,
        users,
        waiting: waiting.get(domain.name) ?? 0,
      })),
      requests,
      may: visit.may('domains:manage'),
    }),
  );
}

function showClaim(visit: Visit, errors: Typed['errors'] = {}): void {
  visit.show(
    claimPage({
      ...visit.page,
      values: {
        domain: visit.value('domain'),
        method: visit.value('method') || 'dns',
        mailbox: visit.value('mailbox'),
      },
      errors,
    }),
    Object.keys(errors).length > 0 ? 422 : 200,
  );
}

/** What is wrong with a claim is said beside the field that is to blame. */
const claimFields: Partial<Record<RefusalCode, string>> = {
  invalid_domain: 'domain',
  public_suffix: 'domain',
  public_mail_domain: 'domain',
  limit_reached: 'domain',
  invalid_email: 'mailbox',
};

async function claim(visit: Visit): Promise<void> {
  const typed = new Typed(visit);
  const domain = typed.line('domain', 300);
  const method = typed.choice('method', proofMethods);
  const mailbox = typed.optional('mailbox', 320) ?? undefined;
  if (!typed.ok) return showClaim(visit, typed.errors);
  try {
    const { name } = await visit.act((work, { account }) =>
      claimDomain(work, account.id, {
        domain,
        method,
        ...(method === 'email' && { mailbox }),
      }),
    );
    visit.done(`/domains/${name}#proof`, visit.t('rooms.domain.claimed'));
  } catch (error) {
    const field = error instanceof Refusal && claimFields[error.code];
    if (!field) throw error;
    showClaim(visit, { [field]: visit.reason(error) });
  }
}

async function showOne(
  visit: Visit,
  {
    findings = null,
    failure,
    errors = {},
  }: {
    findings?: Finding[] | null;
    failure?: string | undefined;
    errors?: Typed['errors'];
  } = {},
): Promise<void> {
  const { sql, now, account } = visit;
  const name = nameIn(visit);
  const entry = await domainEntry(sql, account.id, name, now);
  if (!entry) throw new Refusal('domain_not_found');
  const { domain } = entry;
  const [waiting, counts, people, roles, groups, requests] = await Promise.all([
    countWaiting(sql, account.id, name),
    countConflicts(sql, account.id, name),
    listConflicts(sql, domain),
    findRoles(sql, account.id),
    sql.query<{ id: string; name: string }>(
      `select id, name from groups where account_id = $1 and source = 'local'
       order by lower(name) limit 50`,
      [account.id],
    ),
    listRequests(sql, account.id, now),
  ]);
  const countries = countryOptions(visit.t.locale).filter(([code]) =>
    account.countries.includes(code),
  );
  const announced = requests.some(
    (one) => one.kind === 'transfer' && one.domain === name && one.state === 'open',
  );
  const operator = visit.may('domains:attest');
  visit.show(
    domainPage({
      ...visit.page,
      name,
      shown: domainForPeople(name),
      state: domain.state,
      proof: domain.proof,
      record: domain.state === 'listed' ? null : proofRecord(domain, domain.method),
      findings,
      failure,
      errors,
      typed: { message: visit.value('message'), reason: visit.value('reason') },
      below: domain.parentId !== null ? 'along' : domain.includeSubdomains ? 'in' : 'out',
      signup: domain.signup,
      defaults: {
        roles: domain.defaults.roles ?? [],
        groups: domain.defaults.groups ?? [],
        country: domain.defaults.entitlementCountry ?? '',
      },
      roles: roles.filter(({ builtIn }) => !builtIn).map((role) => [role.key, role.name] as const),
      groups: groups.map((group) => [group.id, group.name] as const),
      countries,
      waiting,
      counts,
      people,
      claimedAt: domain.claimedAt,
      ownedAt: domain.ownedAt,
      checkedAt: domain.checkedAt,
      expiresAt: domain.expiresAt,
      actions: nextActions(domain, waiting),
      may: visit.may('domains:manage'),
      operator: {
        attest: operator && !isOwned(domain),
        transfer:
          operator && domain.state === 'contested' ? (announced ? 'decide' : 'announce') : null,
      },
    }),
    failure !== undefined ? 409 : Object.keys(errors).length > 0 ? 422 : 200,
  );
}

/** Looks for the proof, while somebody waits; no transaction is open meanwhile. */
async function verify(visit: Visit): Promise<void> {
  const { ctx, tools, account, asking, person } = visit;
  const name = nameIn(visit);
  try {
    const look = await lookAtDomain(
      tools.foundation,
      tools.proofs,
      { actor: { type: 'user', id: person.id }, origin: originOf(ctx) },
      { accountId: account.id, name },
      (work) => requireAccount(work, asking, 'domains:manage', account.id),
    );
    const { state } = await visit.act((work) => concludeLook(work, look));
    if (state === 'owned') return visit.done(`/domains/${name}`, visit.t('rooms.domain.proved'));
    await showOne(visit, { findings: look.findings });
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'rate_limited') throw error;
    await showOne(visit, { failure: visit.t('rooms.check.too_soon') });
  }
}

async function changeComing(visit: Visit): Promise<void> {
  const name = nameIn(visit);
  const typed = new Typed(visit);
  const signup = typed.choice('signup', signupModes);
  await visit.act(async (work, { account }) => {
    await changeSignup(work, account.id, name, signup);
    await changeDefaults(work, account.id, name, {
      roles: visit.values('roles'),
      groups: visit.values('groups'),
      entitlementCountry: visit.value('country') || null,
    });
  });
  visit.done(`/domains/${name}#sign-up`, visit.t('rooms.saved'));
}

async function showRelease(visit: Visit, error?: string): Promise<void> {
  const { sql, account } = visit;
  const name = nameIn(visit);
  const domain = await findDomain(sql, account.id, name);
  if (!domain) throw new Refusal('domain_not_found');
  visit.show(
    releasePage({
      ...visit.page,
      name,
      shown: domainForPeople(name),
      owned: isOwned(domain),
      counts: await countConflicts(sql, account.id, name),
      error,
    }),
    error === undefined ? 200 : 409,
  );
}

async function release(visit: Visit): Promise<void> {
  const name = nameIn(visit);
  try {
    await visit.act(async (work, { account }) => {
      if (isOwned(await takeDomain(work, account.id, name)))
        await releaseDomain(work, account.id, name);
      else await cancelClaim(work, account.id, name);
    });
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'domain_in_use') throw error;
    return showRelease(visit, visit.reason(error));
  }
  visit.done('/domains', visit.say('rooms.domain.let_go', { domain: domainForPeople(name) }));
}

/** What operators alone do: vouch for a domain, or give it to who has proved it. */
async function operate(visit: Visit): Promise<void> {
  const { account, tools } = visit;
  const name = nameIn(visit);
  const typed = new Typed(visit);
  if (visit.value('reason') === '') typed.wrong('reason', visit.t('rooms.reason_missing'));
  const reason = typed.line('reason', 500);
  if (!typed.ok) return showOne(visit, { errors: typed.errors });
  const both = (): ReturnType<typeof lookAtBoth> =>
    lookAtBoth(tools.foundation, tools.proofs, { claimantId: account.id, name });
  try {
    switch (visit.value('what')) {
      case 'attest':
        await visit.act((work) => attestDomain(work, account.id, name, reason));
        break;
      case 'announce': {
        const proofs = await both();
        await visit.act((work) => announceTransfer(work, proofs, reason), {
          right: 'domains:transfer',
        });
        break;
      }
      case 'carry_out': {
        const proofs = await both();
        await visit.act((work) => carryOutTransfer(work, proofs, reason), {
          right: 'domains:transfer',
        });
        break;
      }
      case 'stop':
        await visit.act((work) => stopTransfer(work, account.id, name, reason), {
          right: 'domains:transfer',
        });
        break;
      default:
        throw new Refusal('invalid_value');
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return showOne(visit, { failure: visit.reason(error) });
  }
  visit.done(`/domains/${name}`, visit.t('rooms.saved'));
}

/** The domain in the path. @throws {Refusal} `domain_not_found` for what is none. */
function nameIn({ params }: Visit): string {
  const name = typedDomain(params['domain']);
  if (name === null) throw new Refusal('domain_not_found');
  return name;
}
