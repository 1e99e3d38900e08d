import { unitOfWork, type Foundation } from '../work.ts';
import { expireClaim, isOver } from './claim-domain.ts';
import { domainById, domainColumns, lockName, type Domain } from './domain.ts';
import { lookForProof, type ProofNetwork } from './look-for-proof.ts';
import { conclude, methodsFor } from './verify-domain.ts';

export interface CheckLog {
  warn(details: object, message: string): void;
}

const actor = { type: 'system', id: 'domain_checker' } as const;

/** How many are looked at before others are asked what is due. */
const batch = 20;
/** While one process looks, no other does. */
const claimed = 5 * 60_000;

/**
 * Looks at each domain whose time has come: claims every hour until somebody publishes the record,
 * owned ones every week. Several processes may do so at once; each takes what no other has.
 *
 * Returns how many were looked at.
 */
export async function checkDomains(
  foundation: Foundation,
  network: ProofNetwork,
  log: CheckLog,
): Promise<number> {
  await expireClaims(foundation);
  const { database, clock } = foundation;
  let looked = 0;
  for (;;) {
    const now = clock();
    const due = await database.query<Domain>(
      `update domains set next_check_at = $2
       where id in (
         select id from domains
         where next_check_at <= $1
           and state in ('pending', 'owned', 'at_risk', 'lapsed', 'contested')
         order by next_check_at limit $3 for update skip locked)
       returning ${domainColumns}`,
      [now, new Date(now.getTime() + claimed), batch],
    );
    await Promise.all(
      due.map((domain) =>
        check(foundation, network, domain).catch((error: unknown) =>
          log.warn({ error, domain: domain.name }, 'a domain could not be checked'),
        ),
      ),
    );
    looked += due.length;
    if (due.length < batch) return looked;
  }
}

async function check(foundation: Foundation, network: ProofNetwork, domain: Domain): Promise<void> {
  const findings = await lookForProof(network, domain, methodsFor(domain));
  await unitOfWork(foundation, { actor }, (work) => conclude(work, domain.id, findings));
}

/** Ends what nobody proved or answered in time. */
async function expireClaims(foundation: Foundation): Promise<void> {
  const now = foundation.clock();
  const over = await foundation.database.query<{ id: string; name: string }>(
    `select id, name from domains
     where state in ('pending', 'contested') and expires_at <= $1 limit 1000`,
    [now],
  );
  for (const { id, name } of over)
    await unitOfWork(foundation, { actor }, async (work) => {
      await lockName(work, name);
      const claim = await domainById(work, id);
      if (isOver(claim, work.now)) await expireClaim(work, claim);
    });
  await foundation.database.query(
    `update domain_requests set state = 'expired'
     where state = 'open' and expires_at <= $1 and kind <> 'transfer'`,
    [now],
  );
}

/** Looks now and then, until it is stopped. */
export function domainChecker(
  foundation: Foundation,
  network: ProofNetwork,
  log: CheckLog,
  everyMs = 60_000,
): { start(): void; stop(): Promise<void> } {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> | undefined;
  return {
    start() {
      timer = setInterval(() => {
        running ??= checkDomains(foundation, network, log)
          .catch((error: unknown) => log.warn({ error }, 'domains could not be checked'))
          .finally(() => (running = undefined));
      }, everyMs);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
