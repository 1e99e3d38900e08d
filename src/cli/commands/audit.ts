import { vault } from '#platform/secrets.ts';
import { isId } from '#platform/ids.ts';
import { verifyAudit, type ChainFault, type ChainReport } from '#identity/audit/chain.ts';
import type { Command } from '../command.ts';
import { Refused } from '../refused.ts';
import { listed, table } from '../print.ts';
import { accountOf, accountOption } from '../resolve.ts';

interface Event {
  at: string;
  actor: { type: string; id: string | null; name: string | null };
  action: string;
  target: { type: string; id: string } | null;
  reference: string | null;
  details: Record<string, unknown>;
}

export const auditCommands: Command[] = [
  {
    noun: 'audit',
    verb: 'list',
    summary: 'Lists what happened, the latest first.',
    options: {
      ...accountOption,
      actor: { value: 'who', summary: 'An id or an e-mail address.' },
      target: { value: 'whom', summary: 'An id or an e-mail address.' },
      action: { value: 'action', summary: 'Such as user.locked, or user.*' },
      since: { value: 'time', summary: 'Such as 2027-01-01T00:00:00Z.' },
      limit: { value: 'number', summary: 'How many at most; 50, if left out.' },
    },
    async run(given, { api }) {
      const { accountId } = await api.get<{ accountId: string | null }>('/token');
      const named = given.text('account');
      const account =
        named === undefined && accountId === null ? null : await accountOf(api, named);
      const { items } = await api.get<{ items: Event[] }>(
        account === null ? '/audit' : `/accounts/${account}/audit`,
        {
          actor: given.text('actor'),
          target: given.text('target'),
          action: given.text('action'),
          since: given.text('since'),
          limit: given.text('limit') ?? '50',
        },
      );
      return listed(items, {
        AT: ({ at }) => at,
        ACTION: ({ action }) => action,
        BY: ({ actor }) => actor.name ?? actor.id ?? actor.type,
        TARGET: ({ target }) => target && `${target.type} ${target.id}`,
        REFERENCE: ({ reference }) => reference,
        DETAILS: ({ details }) => details,
      });
    },
  },
  {
    noun: 'audit',
    verb: 'verify',
    summary:
      'Finds the first audit row that was altered, taken out or moved. Works on the database.',
    options: {
      account: { value: 'id', summary: 'Only the chain of this account; all, if left out.' },
    },
    async run(given, { ground }) {
      const account = given.text('account') ?? null;
      if (account !== null && !isId(account))
        throw new Refused('account_not_found', 'An account is named by its id here.');
      const safe = vault(ground.config().secrets);
      const database = await ground.openDatabase();
      try {
        const reports = await verifyAudit(database, safe, account);
        const wrong = reports.filter(({ fault }) => fault !== null);
        return {
          json: reports,
          text: [
            table(reports, {
              CHAIN: ({ accountId }) => accountId ?? 'installation',
              ROWS: ({ checked }) => checked,
              END: ({ end }) => end && `${end.seq} ${end.hash}`,
              RESULT: ({ fault }) => (fault ? said(fault) : 'right'),
            }),
            '',
            ...(wrong.length > 0
              ? wrong.map(inWords)
              : ['Every row is as it was sealed. Keep the ends elsewhere to compare them later.']),
          ].join('\n'),
          status: wrong.length > 0 ? 1 : 0,
        };
      } finally {
        await database.close();
      }
    },
  },
];

function inWords({ accountId, fault }: ChainReport): string {
  return `${accountId ?? 'The installation'}: ${said(fault!)}.`;
}

/** How each fault is said. */
const words: { [Fault in ChainFault as Fault['fault']]: (fault: Fault) => string } = {
  altered: ({ seq, id }) => `row ${seq} (id ${id}) was altered`,
  missing: ({ seq }) => `row ${seq} is missing`,
  reordered: ({ seq, id }) => `row ${seq} (id ${id}) does not follow the one before it`,
  cut_off: ({ seq, expected }) =>
    `row ${seq} is missing, and all up to ${expected}: the end was cut off`,
  forged_end: ({ seq }) => `the end at row ${seq} was not written by this installation`,
};

function said(fault: ChainFault): string {
  return (words[fault.fault] as (fault: ChainFault) => string)(fault);
}
