import { isId } from '#platform/ids.ts';
import {
  holdAccount,
  requireFreeNumber,
  resumeAccount,
} from '#identity/accounts/change-account.ts';
import { closeAccount, keepAccount } from '#identity/accounts/close.ts';
import { createAccount } from '#identity/accounts/create-account.ts';
import { accountById } from '#identity/accounts/find-accounts.ts';
import { mergeAccounts, reportMerge, type Merge } from '#identity/accounts/merge.ts';
import { moveById, type MoveReport } from '#identity/accounts/move-people.ts';
import { reportSplit, splitAccount, type Split } from '#identity/accounts/split.ts';
import { Refusal } from '#identity/refusal.ts';
import { canonicalCountry } from '#identity/users/country.ts';
import { canonicalEmail } from '#identity/users/email.ts';
import { countryOptions } from '../../countries.ts';
import {
  closePage,
  mergePage,
  movePage,
  moveReportPage,
  newAccountPage,
  organizationPage,
  splitPage,
  type ReportShown,
} from '../../pages/console/organization.ts';
import type { Room, Visit } from '../room.ts';
import { Typed } from '../typed.ts';

const fresh = { fresh: true };
const home = '/organization';

/** What operators alone do with an account: hold, merge, split and close it. */
export const organization: Room = {
  menu: {
    path: home,
    title: 'rooms.organization',
    section: 'organization',
    right: 'accounts:move',
  },
  open(door) {
    door.get('/accounts/new', 'accounts:create', (visit) => showNew(visit));
    door.post('/accounts/new', 'accounts:create', (visit) => create(visit));

    door.get(home, 'accounts:move', (visit) => show(visit));
    door.post(`${home}/hold`, 'accounts:hold', async (visit) => {
      const typed = new Typed(visit);
      const reason = typed.line('reason', 500);
      if (!typed.ok) return show(visit, { failure: visit.t('rooms.reason_missing') });
      await visit.act((work, { account }) => holdAccount(work, account.id, reason));
      visit.done(home, visit.t('rooms.saved'));
    });
    for (const [verb, right, rule] of [
      ['resume', 'accounts:hold', resumeAccount],
      ['keep', 'accounts:close', keepAccount],
    ] as const)
      door.post(`${home}/${verb}`, right, async (visit) => {
        await visit.act((work, { account }) => rule(work, account.id));
        visit.done(home, visit.t('rooms.saved'));
      });
    door.get(
      `${home}/close`,
      'accounts:close',
      ({ show: answer, page, account }) =>
        answer(closePage({ ...page, name: account.name, errors: {} })),
      fresh,
    );
    door.post(
      `${home}/close`,
      'accounts:close',
      async (visit) => {
        const typed = new Typed(visit);
        const reason = typed.line('reason', 500);
        if (visit.value('confirm') !== visit.account.name)
          typed.wrong('confirm', visit.t('rooms.organization.type_name'));
        if (!typed.ok)
          return visit.show(
            closePage({ ...visit.page, name: visit.account.name, errors: typed.errors }),
            422,
          );
        await visit.act((work, { account }) => closeAccount(work, account.id, reason));
        visit.done(home, visit.t('rooms.saved'));
      },
      fresh,
    );

    door.get(`${home}/merge`, 'accounts:move', (visit) => showMerge(visit));
    door.post(`${home}/merge`, 'accounts:move', (visit) => previewMerge(visit));
    door.post(`${home}/merge/apply`, 'accounts:move', (visit) => applyMerge(visit), fresh);
    const repeated = ['domains', 'administrators'];
    door.get(`${home}/split`, 'accounts:move', (visit) => showSplit(visit));
    door.post(`${home}/split`, 'accounts:move', (visit) => previewSplit(visit), { repeated });
    door.post(`${home}/split/apply`, 'accounts:move', (visit) => applySplit(visit), {
      ...fresh,
      repeated,
    });
    door.get('/moves/:moveId', 'accounts:move', async (visit) => {
      visit.show(
        movePage({ ...visit.page, move: await moveById(visit.sql, visit.params['moveId']!) }),
      );
    });
  },
};

async function show(visit: Visit, { failure }: { failure?: string } = {}): Promise<void> {
  const account = await accountById(visit.sql, visit.account.id);
  visit.show(
    organizationPage({
      ...visit.page,
      organization: { ...account, contacts: account.fulfillmentContacts },
      failure,
      may: {
        hold: visit.may('accounts:hold'),
        close: visit.may('accounts:close'),
        move: visit.may('accounts:move'),
      },
    }),
    failure === undefined ? 200 : 422,
  );
}

function readCountries(visit: Visit, typed: Typed): string[] {
  const countries = (typed.optional('countries', 1500) ?? '')
    .toUpperCase()
    .split(/[\s,;]+/)
    .filter(Boolean);
  if (countries.some((one) => canonicalCountry(one) === null))
    typed.wrong('countries', visit.t('rooms.organization.countries_hint'));
  return [...new Set(countries)];
}

function showNew(
  visit: Visit,
  { errors = {}, failure }: { errors?: Typed['errors']; failure?: string } = {},
): void {
  const { value } = visit;
  visit.show(
    newAccountPage({
      ...visit.page,
      values: {
        name: value('name'),
        number: value('number'),
        countries: value('countries'),
        email: value('email'),
        givenName: value('givenName'),
        familyName: value('familyName'),
        country: value('country') || 'US',
      },
      countries: countryOptions(visit.t.locale),
      errors,
      failure,
    }),
    failure !== undefined || Object.keys(errors).length > 0 ? 422 : 200,
  );
}

async function create(visit: Visit): Promise<void> {
  const typed = new Typed(visit);
  const name = typed.line('name');
  const number = typed.optional('number', 50);
  const countries = readCountries(visit, typed);
  const address = typed.line('email', 320);
  const email = canonicalEmail(address);
  if (email === null && address) typed.wrong('email', visit.reason(new Refusal('invalid_email')));
  const givenName = typed.line('givenName');
  const familyName = typed.line('familyName');
  const country = canonicalCountry(visit.value('country'));
  if (country === null) typed.wrong('country', visit.t('rooms.wrong.choice'));
  if (!typed.ok || email === null || country === null)
    return showNew(visit, { errors: typed.errors });
  try {
    await visit.operate(async (work) => {
      if (number !== null) await requireFreeNumber(work, number);
      return createAccount(work, {
        name,
        number,
        countries,
        fulfillmentContact: { email, emailDisplay: address, givenName, familyName, country },
      });
    });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return showNew(visit, { failure: visit.reason(error) });
  }
  visit.done(`/accounts?q=${encodeURIComponent(name)}`, visit.say('rooms.account.made', { name }));
}

function shownReport(report: MoveReport): ReportShown {
  return {
    ...report,
    source: report.source.name,
    target: report.target.name,
    problems: report.problems.map(({ problem }) => problem),
  };
}

function showMerge(visit: Visit, errors: Typed['errors'] = {}): void {
  visit.show(
    mergePage({
      ...visit.page,
      values: {
        into: visit.value('into'),
        administrators: visit.value('administrators') || 'co_administrator',
      },
      errors,
    }),
    Object.keys(errors).length > 0 ? 422 : 200,
  );
}

function readMerge(visit: Visit): Merge | null {
  const into = visit.value('into');
  if (!isId(into)) return null;
  const administrators = new Typed(visit).choice('administrators', [
    'co_administrator',
    'account_administrator',
    'none',
  ]);
  return { sourceId: visit.account.id, targetId: into, administrators };
}

async function previewMerge(visit: Visit, failure?: string): Promise<void> {
  const merge = readMerge(visit);
  if (!merge) return showMerge(visit, { into: visit.t('rooms.move.into_hint') });
  try {
    const { report, digest } = await visit.act((work) => reportMerge(work, merge));
    visit.show(
      moveReportPage({
        ...visit.page,
        kind: 'merge',
        report: shownReport(report),
        values: {
          into: merge.targetId,
          administrators: merge.administrators ?? 'co_administrator',
          confirm: digest,
        },
        failure,
      }),
      failure === undefined ? 200 : 409,
    );
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'account_not_found') throw error;
    showMerge(visit, { into: visit.reason(error) });
  }
}

async function applyMerge(visit: Visit): Promise<void> {
  const merge = readMerge(visit);
  if (!merge) return showMerge(visit, { into: visit.t('rooms.move.into_hint') });
  const typed = new Typed(visit);
  const reason = typed.line('reason', 500);
  if (!typed.ok) return previewMerge(visit, visit.t('rooms.reason_missing'));
  try {
    const { id } = await visit.act((work) =>
      mergeAccounts(work, { ...merge, confirm: visit.value('confirm'), reason }),
    );
    visit.done(`/moves/${id}`, visit.t('rooms.move.begun'));
  } catch (error) {
    // Something changed since the report was read: here is the new one.
    if (!(error instanceof Refusal) || error.code === 'step_up_required') throw error;
    await previewMerge(visit, visit.reason(error));
  }
}

async function showSplit(visit: Visit, errors: Typed['errors'] = {}): Promise<void> {
  const { domains } = await accountById(visit.sql, visit.account.id);
  const people = await visit.sql.query<{ id: string; email: string }>(
    `select id, email_display as email from users
     where account_id = $1 and affiliation = 'member' and identity = 'ready'
       and split_part(email, '@', 2) = any ($2::text[])
     order by email limit 50`,
    [visit.account.id, domains],
  );
  visit.show(
    splitPage({
      ...visit.page,
      values: {
        name: visit.value('name'),
        number: visit.value('number'),
        domains: visit.values('domains'),
        administrators: visit.values('administrators'),
      },
      domains,
      people: people.map(({ id, email }) => [id, email] as const),
      errors,
    }),
    Object.keys(errors).length > 0 ? 422 : 200,
  );
}

function readSplit(visit: Visit): { split: Split; typed: Typed } {
  const typed = new Typed(visit);
  const split: Split = {
    sourceId: visit.account.id,
    name: typed.line('name'),
    number: typed.optional('number', 50),
    domains: visit.values('domains'),
    users: [],
    groups: [],
    administrators: visit.values('administrators').filter((id) => isId(id)),
  };
  return { split, typed };
}

async function previewSplit(visit: Visit, failure?: string): Promise<void> {
  const { split, typed } = readSplit(visit);
  if (!typed.ok) return showSplit(visit, typed.errors);
  const { report, digest } = await visit.act((work) => reportSplit(work, split));
  visit.show(
    moveReportPage({
      ...visit.page,
      kind: 'split',
      report: shownReport(report),
      values: {
        name: split.name,
        number: split.number ?? '',
        domains: split.domains,
        administrators: split.administrators ?? [],
        confirm: digest,
      },
      failure,
    }),
    failure === undefined ? 200 : 409,
  );
}

async function applySplit(visit: Visit): Promise<void> {
  const { split, typed } = readSplit(visit);
  const reason = typed.line('reason', 500);
  if (!typed.ok) return previewSplit(visit, visit.t('rooms.reason_missing'));
  try {
    const { id } = await visit.act((work) =>
      splitAccount(work, { ...split, confirm: visit.value('confirm'), reason }),
    );
    visit.done(`/moves/${id}`, visit.t('rooms.move.begun'));
  } catch (error) {
    if (!(error instanceof Refusal) || error.code === 'step_up_required') throw error;
    await previewSplit(visit, visit.reason(error));
  }
}
