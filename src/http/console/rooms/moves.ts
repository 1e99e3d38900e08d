import { isId } from '#platform/ids.ts';
import { personBehind } from '#identity/access/person-behind.ts';
import { accountById, findAccounts } from '#identity/accounts/find-accounts.ts';
import { moveById, type MoveReport } from '#identity/accounts/move-people.ts';
import {
  confirmMove,
  moveProposal,
  moveProposals,
  proposeMove,
  reportMove,
  withdrawMove,
  type MoveProposal,
  type MoveRequest,
} from '#identity/accounts/propose-move.ts';
import { Refusal } from '#identity/refusal.ts';
import { canonicalEmail } from '#identity/users/email.ts';
import {
  mergePage,
  movePage,
  moveReportPage,
  movesPage,
  proposalPage,
  splitPage,
  type ReportShown,
} from '../../pages/console/moves.ts';
import type { Room, Visit } from '../room.ts';
import { Typed, type FieldErrors } from '../typed.ts';

const fresh = { fresh: true };
const home = '/moves';
const of = '/organization';
const atOnce = 50;
const most = 200;

/** Accounts are merged and split: one operator proposes, another confirms (security.md 3.2). */
export const moves: Room = {
  menu: {
    path: home,
    title: 'rooms.moves',
    section: 'installation',
    right: 'accounts:move',
    everywhere: true,
  },
  open(door) {
    for (const { kind, repeated, ask, read } of [merging, splitting]) {
      const form = { repeated };
      door.get(`${of}/${kind}`, 'accounts:move', (visit) => ask(visit));
      door.post(
        `${of}/${kind}`,
        'accounts:move',
        async (visit) => {
          const request = await read(visit);
          if (request) await preview(visit, request);
        },
        form,
      );
      door.post(
        `${of}/${kind}/propose`,
        'accounts:move',
        async (visit) => {
          const request = await read(visit);
          if (request) await propose(visit, request);
        },
        { ...fresh, ...form },
      );
    }

    door.get(home, 'accounts:move', async (visit) => {
      const cursor = visit.cursor('moves');
      const rows = await moveProposals(visit.sql, visit.now, {
        after: cursor.after,
        limit: atOnce + 1,
      });
      const { items, nextCursor } = cursor.page(rows, atOnce, ({ id }) => id);
      const later = cursor.after !== undefined;
      visit.show(movesPage({ ...visit.page, proposals: items.map(shown), nextCursor, later }));
    });
    door.get(`${home}/proposals/:proposalId`, 'accounts:move', (visit) => showProposal(visit));
    door.post(
      `${home}/proposals/:proposalId/confirm`,
      'accounts:move',
      async (visit) => {
        const proposalId = visit.params['proposalId']!;
        try {
          const { id } = await visit.operate((work) =>
            confirmMove(work, proposalId, visit.value('digest')),
          );
          visit.done(`${home}/${id}`, visit.t('rooms.move.begun'));
        } catch (error) {
          if (!(error instanceof Refusal) || error.code === 'step_up_required') throw error;
          await showProposal(visit, visit.reason(error));
        }
      },
      fresh,
    );
    door.post(`${home}/proposals/:proposalId/withdraw`, 'accounts:move', async (visit) => {
      const id = visit.params['proposalId']!;
      await visit.operate((work) => withdrawMove(work, id));
      visit.done(`${home}/proposals/${id}`, visit.t('rooms.moves.was_withdrawn'));
    });
    door.get(`${home}/:moveId`, 'accounts:move', async (visit) => {
      visit.show(
        movePage({ ...visit.page, move: await moveById(visit.sql, visit.params['moveId']!) }),
      );
    });
  },
};

/** How one kind is asked for, and read; null where it was asked again, as something is missing. */
interface Kind {
  kind: 'merge' | 'split';
  repeated: readonly string[];
  ask(visit: Visit, errors?: FieldErrors): Promise<void>;
  read(visit: Visit): Promise<MoveRequest | null>;
}

const merging: Kind = {
  kind: 'merge',
  repeated: ['keepAdministrators'],
  async ask(visit, errors = {}) {
    const { administrators } = await accountById(visit.sql, visit.account.id);
    visit.show(
      mergePage({
        ...visit.page,
        values: {
          into: visit.value('into'),
          administrators: visit.value('administrators') || 'co_administrator',
          keep: visit.values('keepAdministrators'),
        },
        people: administrators
          .filter(({ role }) => role === 'account_administrator')
          .map(({ id, email }) => [id, email] as const),
        errors,
      }),
      Object.keys(errors).length > 0 ? 422 : 200,
    );
  },
  async read(visit) {
    const typed = new Typed(visit);
    const into = await accountCalled(visit, visit.value('into'));
    if (into === null) typed.wrong('into', visit.reason(new Refusal('account_not_found')));
    const administrators = typed.choice('administrators', [
      'co_administrator',
      'account_administrator',
      'none',
    ]);
    if (into === null || !typed.ok) {
      await merging.ask(visit, typed.errors);
      return null;
    }
    return {
      kind: 'merge',
      sourceId: visit.account.id,
      targetId: into,
      administrators,
      keepAdministrators: visit.values('keepAdministrators').filter((id) => isId(id)),
    };
  },
};

const splitting: Kind = {
  kind: 'split',
  repeated: ['domains', 'groups'],
  async ask(visit, errors = {}) {
    const { domains } = await accountById(visit.sql, visit.account.id);
    const groups = await visit.sql.query<{ id: string; name: string }>(
      'select id, name from groups where account_id = $1 order by lower(name) limit 200',
      [visit.account.id],
    );
    visit.show(
      splitPage({
        ...visit.page,
        values: {
          name: visit.value('name'),
          number: visit.value('number'),
          domains: visit.values('domains'),
          groups: visit.values('groups'),
          users: visit.value('users'),
          administrators: visit.value('administrators'),
        },
        domains,
        groups: groups.map(({ id, name }) => [id, name] as const),
        errors,
      }),
      Object.keys(errors).length > 0 ? 422 : 200,
    );
  },
  async read(visit) {
    const typed = new Typed(visit);
    const request: MoveRequest = {
      kind: 'split',
      sourceId: visit.account.id,
      name: typed.line('name'),
      number: typed.optional('number', 50),
      domains: visit.values('domains'),
      users: await people(visit, typed, 'users', { optional: true }),
      groups: visit.values('groups').filter((id) => isId(id)),
      administrators: await people(visit, typed, 'administrators'),
    };
    if (typed.ok) return request;
    await splitting.ask(visit, typed.errors);
    return null;
  },
};

/** The one account of this id, number or name, or that owns this domain. */
async function accountCalled({ sql }: Visit, text: string): Promise<string | null> {
  if (text === '') return null;
  const found = await findAccounts(
    sql,
    isId(text) ? { id: text, limit: 1 } : { q: text, limit: most },
  );
  const called = text.toLowerCase();
  const meant = found.filter(
    ({ id, number, name, domains }) =>
      isId(text) ||
      [id, number, name, ...domains].some((one) => one !== null && one.toLowerCase() === called),
  );
  return meant.length === 1 ? meant[0]!.id : null;
}

/** People of the account whose addresses were typed, one on each line. */
async function people(
  visit: Visit,
  typed: Typed,
  field: string,
  { optional = false } = {},
): Promise<string[]> {
  const lines = typed
    .text(field, 20_000, { optional })
    .split(/[\s,;]+/)
    .filter(Boolean);
  if (lines.length > most) typed.wrong(field, visit.reason(new Refusal('limit_reached')));
  const found = await visit.sql.query<{ id: string; email: string }>(
    'select id, email from users where account_id = $1 and email = any ($2::text[])',
    [visit.account.id, lines.slice(0, most).flatMap((line) => canonicalEmail(line) ?? [])],
  );
  const strangers = lines.filter(
    (line) => !found.some(({ email }) => email === canonicalEmail(line)),
  );
  if (strangers.length > 0)
    typed.wrong(
      field,
      visit.say('rooms.moves.unknown', { emails: strangers.slice(0, 5).join(', ') }),
    );
  return found.map(({ id }) => id);
}

function reportShown(report: MoveReport): ReportShown {
  return {
    ...report,
    source: report.source.name,
    target: report.target.name,
    problems: report.problems.map(({ problem }) => problem),
  };
}

function shown<T extends MoveProposal>({
  report,
  ...one
}: T): Omit<T, 'report'> & { report: ReportShown; source: string; target: string } {
  return {
    ...one,
    report: reportShown(report),
    source: report.source.name,
    target: report.target.name,
  };
}

async function preview(
  visit: Visit,
  request: MoveRequest,
  { failure, errors = {} }: { failure?: string; errors?: Typed['errors'] } = {},
): Promise<void> {
  const { report, digest } = await visit.act((work) => reportMove(work, request));
  const { value, values } = visit;
  visit.show(
    moveReportPage({
      ...visit.page,
      kind: request.kind,
      report: reportShown(report),
      values: {
        confirm: digest,
        ...(request.kind === 'merge'
          ? {
              into: request.targetId,
              administrators: value('administrators'),
              keepAdministrators: values('keepAdministrators'),
            }
          : {
              name: request.name,
              number: value('number'),
              domains: values('domains'),
              groups: values('groups'),
              users: value('users'),
              administrators: value('administrators'),
            }),
      },
      failure,
      reason: value('reason'),
      errors,
    }),
    failure !== undefined ? 409 : Object.keys(errors).length > 0 ? 422 : 200,
  );
}

async function propose(visit: Visit, request: MoveRequest): Promise<void> {
  const typed = new Typed(visit);
  if (visit.value('reason') === '') typed.wrong('reason', visit.t('rooms.reason_missing'));
  const reason = typed.line('reason', 500);
  if (!typed.ok) return preview(visit, request, { errors: typed.errors });
  try {
    const { id } = await visit.act((work) =>
      proposeMove(work, request, { confirm: visit.value('confirm'), reason }),
    );
    visit.done(`${home}/proposals/${id}`, visit.t('rooms.moves.proposed'));
  } catch (error) {
    // Something changed since the report was read: here is the new one.
    if (!(error instanceof Refusal) || error.code === 'step_up_required') throw error;
    await preview(visit, request, { failure: visit.reason(error) });
  }
}

/** With what it would do now: read anew at each look, as the accounts go on meanwhile. */
async function showProposal(visit: Visit, failure?: string): Promise<void> {
  const proposal = await moveProposal(visit.sql, visit.params['proposalId']!, visit.now);
  const now =
    proposal.state === 'open'
      ? await visit.operate((work) => reportMove(work, proposal.request))
      : null;
  const reader = await personBehind(visit.sql, { type: 'user', id: visit.person.id });
  visit.show(
    proposalPage({
      ...visit.page,
      proposal: shown(proposal),
      changed: now && now.digest !== proposal.digest ? reportShown(now.report) : null,
      own: reader === proposal.person,
      failure,
    }),
    failure === undefined ? 200 : 409,
  );
}
