import { Router } from '@koa/router';
import type { Context } from 'koa';
import type { Html } from '#platform/html.ts';
import { isId } from '#platform/ids.ts';
import {
  mayEver,
  requireAccount,
  requirePerson,
  type Capability,
} from '#identity/access/rights.ts';
import { askingFor, standingOf, type Standing } from '#identity/access/standing.ts';
import { Refusal } from '#identity/refusal.ts';
import { findPerson } from '#identity/users/person.ts';
import { unitOfWork, type Work } from '#identity/work.ts';
import { again } from '../again.ts';
import { sendCompressed } from '../compressed.ts';
import { readForm, readUpload } from '../body.ts';
import { originOf, pageContext, queryText, sendPage } from '../context.ts';
import type { Csrf, Whose } from '../csrf.ts';
import { cursorOf } from '../cursor.ts';
import type { KeptForms } from '../kept-forms.ts';
import type { ConsoleFrame, MenuSection } from '../pages/console/frame.ts';
import { refusedPage } from '../pages/console/parts.ts';
import { Problem } from '../problem.ts';
import type { CurrentSession, Sessions } from '../sessions.ts';
import { actingCookie } from './acting.ts';
import { flashCookie } from './flash.ts';
import { refusalStatus, refusalText } from './refused.ts';
import {
  sections,
  type Asked,
  type ConsoleTools,
  type Door,
  type Section,
  type Visit,
} from './room.ts';
import { rooms } from './rooms.ts';
import { zoneOf } from './zone.ts';

export interface ConsoleDependencies extends ConsoleTools {
  sessions: Sessions;
  csrf: Csrf;
  kept: KeptForms;
}

/** An operator came to a page about an account, and has chosen none. */
class NoAccount extends Error {}

/** It went well, and is not to be kept. */
class Rehearsed extends Error {}

/** `/console`: every room behind the same door. See `room.ts`. */
export function consoleRoutes({ sessions, csrf, kept, ...tools }: ConsoleDependencies): Router {
  const { foundation } = tools;
  const { database, clock, vault, issuer } = foundation;
  const cursorKeys = vault.derive('cursors');
  const acting = actingCookie(issuer);
  const flash = flashCookie(issuer);
  const router = new Router({ prefix: '/console', sensitive: true });

  const door: Door = {
    get(path, right, handler, { fresh: anew } = {}) {
      router.get(path, (ctx) => visit(ctx, right, handler, { anew }));
    },
    post(path, right, handler, { fresh: anew, repeated, upload, limit } = {}) {
      router.post(path, (ctx) => visit(ctx, right, handler, { anew, repeated, upload, limit }));
    },
  };

  // Whoever had to sign in on the way to a POST is offered what they sent.
  router.use(async (ctx, next) => {
    if (!(await offered(ctx))) await next();
  });
  // `/new/preview` before `/:id`, and `/do/sessions` before `/:id/sessions`.
  const only = postsOnly();
  for (const path of only) if (!path.includes(':')) upwards(path);
  for (const room of rooms) room.open(door);
  for (const path of only) if (path.includes(':')) upwards(path);
  router.get('/', async (ctx) => {
    const entered = await enter(ctx);
    if (!entered) return;
    const [first] = menuOf(entered.standing, '').flatMap((section) => section.rooms);
    ctx.status = 303;
    ctx.redirect(first?.href ?? '/profile');
  });
  return router;

  /** Whoever comes by GET to where only forms are sent, and has nothing waiting, goes one up. */
  function upwards(path: string): void {
    router.get(path, (ctx) => {
      const here = ctx.path.slice(0, ctx.path.lastIndexOf('/'));
      ctx.status = 303;
      ctx.redirect(here === '' ? '/console' : here);
    });
  }

  /** Who is here and what they look after, or null: then the answer is made. */
  async function enter(
    ctx: Context,
    { anew, back }: { anew?: boolean | undefined; back?: (() => Promise<string>) | undefined } = {},
  ): Promise<{ session: CurrentSession; standing: Standing } | null> {
    const session = await (anew
      ? sessions.stepUp(ctx, { back })
      : sessions.require(ctx, { secondFactor: true, back }));
    if (!session) return null;
    const standing = await standingOf(database, session.person, {
      actingIn: acting.read(ctx, session.uid),
      provedAnew: sessions.isProvedAnew(session),
    });
    if (standing.askings.length > 0) return { session, standing };
    const page = frameOf(ctx, session, standing);
    sendPage(
      ctx,
      403,
      refusedPage(page, {
        title: page.t('console.closed_title'),
        reason: page.t('console.closed_text'),
        back: '/profile',
      }),
    );
    return null;
  }

  async function visit(
    ctx: Context,
    right: Capability,
    handler: (visit: Visit) => Promise<void> | void,
    {
      anew,
      repeated = [],
      upload,
      limit,
    }: {
      anew?: boolean | undefined;
      repeated?: readonly string[] | undefined;
      upload?: number | undefined;
      limit?: number | undefined;
    },
  ): Promise<void> {
    const send = ctx.method === 'POST';
    // A file is at hand still: it is chosen once more.
    const keeps = send && upload === undefined;
    const entered = await enter(ctx, {
      anew,
      back: keeps
        ? async () => {
            const typed = await readForm(ctx, { repeated, limit });
            return kept.keep(ctx, typed, csrf.whose(ctx, typed));
          }
        : undefined,
    });
    if (!entered) return;
    const { session, standing } = entered;
    const page = frameOf(ctx, session, standing);
    const params = (ctx as Context & { params?: Record<string, string> }).params ?? {};
    let sent: Readonly<Record<string, string>> = {};
    try {
      const asking = askingFor(standing, right);
      if (!asking) throw new Refusal('permission_denied');
      requireIds(params);
      requireText(ctx);
      let form: typeof sent | null = {};
      if (send) {
        const typed =
          upload === undefined
            ? await readForm(ctx, { repeated, limit })
            : await readUpload(ctx, upload);
        if (keeps) sent = typed;
        csrf.check(ctx, typed, bindingOf(session, standing));
        form = await kept.fieldsOf(ctx, typed, whoseOf(session, standing));
        // It was sent twice, and done.
        if (!form) {
          ctx.status = 303;
          return ctx.redirect(ctx.path);
        }
      }
      const shown: { page?: Html; status?: number } = {};
      await handler(visitOf(ctx, { right, session, standing, asking, page, params, form, shown }));
      if (send) await kept.forget(sent);
      if (shown.page) await sendCompressed(ctx, shown.status ?? 200, shown.page);
    } catch (error) {
      if (error instanceof NoAccount) {
        ctx.status = 303;
        ctx.redirect(`/console/accounts?next=${encodeURIComponent(ctx.url)}`);
      } else if (error instanceof Refusal) await refuse(ctx, entered, page, sent, error);
      else throw error;
    }
  }

  /** Whether this address names a form that waits for who is here. */
  async function offered(ctx: Context): Promise<boolean> {
    if (ctx.method !== 'GET' || queryText(ctx, 'kept') === undefined) return false;
    const entered = await enter(ctx);
    if (!entered) return true;
    const { session, standing } = entered;
    const page = frameOf(ctx, session, standing);
    const offer = await kept.offer(ctx, page, whoseOf(session, standing));
    if (offer) sendPage(ctx, 200, offer);
    return offer !== null;
  }

  /** What no page told beside its cause. */
  async function refuse(
    ctx: Context,
    { session, standing }: { session: CurrentSession; standing: Standing },
    page: ConsoleFrame,
    sent: Readonly<Record<string, string>>,
    refusal: Refusal,
  ): Promise<void> {
    if (refusal.code === 'step_up_required') {
      const back =
        ctx.method === 'GET' ? ctx.url : await kept.keep(ctx, sent, whoseOf(session, standing));
      return sessions.proveAnew(ctx, back, session);
    }
    sendPage(
      ctx,
      refusalStatus(refusal),
      refusedPage(page, {
        title: page.t('console.refused'),
        reason: refusalText(page, refusal),
        back: ctx.method === 'POST' ? ctx.path : '/console',
      }),
    );
  }

  function visitOf(
    ctx: Context,
    {
      right,
      session,
      standing,
      asking,
      page,
      params,
      form,
      shown,
    }: Pick<Visit, 'asking' | 'page' | 'params' | 'form'> & {
      shown: { page?: Html; status?: number };
      right: Capability;
      session: CurrentSession;
      standing: Standing;
    },
  ): Visit {
    const { person } = session;
    const actor = { type: 'user', id: person.id, email: person.email } as const;
    const transaction = <T>(
      batchId: string | undefined,
      command: (work: Work) => Promise<T>,
    ): Promise<T> =>
      again(() =>
        unitOfWork(
          foundation,
          { actor, origin: { ...originOf(ctx), batchId: batchId ?? null } },
          command,
        ),
      );

    /** With which rights, as they stand in this transaction: a role may have been taken meanwhile. */
    async function askedWithin(work: Work, capability: Capability): Promise<Asked['asking']> {
      const now = await findPerson(work, person.id, work.now);
      const standingNow =
        now &&
        (await standingOf(work, now, {
          actingIn: standing.account?.id ?? null,
          provedAnew: sessions.isProvedAnew(session),
        }));
      const found = standingNow && askingFor(standingNow, capability);
      if (!found) throw new Refusal('permission_denied');
      return found;
    }

    const made: Visit = {
      ctx,
      tools,
      sql: database,
      now: clock(),
      t: page.t,
      person,
      session: session.uid,
      asking,
      params,
      form,
      page,

      get account() {
        if (!standing.account) throw new NoAccount();
        return standing.account;
      },
      value: (name) => (form[name] ?? queryText(ctx, name) ?? '').trim(),
      values(name) {
        const given = form[name]?.split('\n') ?? [ctx.query[name] ?? []].flat();
        return [...new Set(given.filter((one) => one !== ''))];
      },
      may: (capability) => askingFor(standing, capability) !== null,
      cursor(scope) {
        const whole = JSON.stringify(['console', standing.account?.id ?? null, scope]);
        try {
          return cursorOf(cursorKeys, whole, queryText(ctx, 'cursor'));
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          return cursorOf(cursorKeys, whole, undefined);
        }
      },

      act: (command, { right: other = right, batchId } = {}) => {
        const { id } = made.account;
        return transaction(batchId, async (work) => {
          const inside = await askedWithin(work, other);
          const permitted = await requireAccount(work, inside, other, id, { guarded: true });
          return command(work, { asking: inside, account: { ...made.account, ...permitted } });
        });
      },
      actOn: (userId, command, { right: other = right, batchId, former = false } = {}) =>
        made.act(
          async (work, asked) =>
            command(work, {
              ...asked,
              person: await requirePerson(work, asked.asking, other, asked.account.id, userId, {
                former,
              }),
            }),
          { right: other, ...(batchId !== undefined && { batchId }) },
        ),
      async rehearse(userId, command, { former = false } = {}) {
        try {
          await made.actOn(
            userId,
            async (work, asked) => {
              await command(work, asked);
              throw new Rehearsed();
            },
            { former },
          );
        } catch (error) {
          if (error instanceof Refusal) return error;
          if (!(error instanceof Rehearsed)) throw error;
        }
        return null;
      },
      operate: (command) =>
        transaction(undefined, async (work) => {
          const inside = await askedWithin(work, right);
          if (!mayEver(inside.role, right)) throw new Refusal('permission_denied');
          return command(work, { asking: inside });
        }),

      show(html, status = 200) {
        shown.page = html;
        shown.status = status;
      },
      done(path, text, { undo, tone = 'success' } = {}) {
        if (text !== undefined)
          flash.write(ctx, {
            tone,
            text,
            ...(undo && { undo: { ...undo, action: `/console${undo.action}` } }),
          });
        ctx.status = 303;
        ctx.redirect(`/console${path}`);
      },
      reason: (refusal) => refusalText(page, refusal),
      say: (key, values) => page.t(key, values),
    };
    return made;
  }

  function frameOf(ctx: Context, session: CurrentSession, standing: Standing): ConsoleFrame {
    const { person } = session;
    const { account } = standing;
    return {
      ...pageContext(ctx, { profile: person.language }),
      csrf: csrf.token(ctx, bindingOf(session, standing), whoseOf(session, standing)),
      email: person.email ?? '',
      account,
      acting: account !== null && standing.askings[0]?.role === 'operator',
      menu: menuOf(standing, ctx.path),
      zone: zoneOf(ctx),
      flash: ctx.method === 'GET' ? flash.take(ctx) : undefined,
    };
  }

  function whoseOf({ person }: CurrentSession, { account }: Standing): Whose {
    return { person: person.id, about: account?.id ?? '' };
  }

  /** A form is good in the session and for the account it was shown in. */
  function bindingOf(session: CurrentSession, { account }: Standing): string {
    return `console:${session.uid}:${account?.id ?? ''}`;
  }
}

/** The rooms that somebody may enter, and the one where they are. */
function menuOf(standing: Standing, here: string): MenuSection[] {
  const entries = rooms
    .flatMap(({ menu }) => menu ?? [])
    .filter(
      ({ right, unless, everywhere }) =>
        askingFor(standing, right) !== null &&
        !(unless && askingFor(standing, unless) !== null) &&
        (everywhere || standing.account !== null),
    );
  const within = ({ path }: { path: string }): boolean =>
    here === `/console${path}` || (path !== '/' && here.startsWith(`/console${path}/`));
  return (Object.keys(sections) as Section[])
    .map((section) => ({
      title: sections[section],
      rooms: entries
        .filter((entry) => entry.section === section)
        .map((entry) => ({
          href: `/console${entry.path === '/' ? '' : entry.path}`,
          title: entry.title,
          current: within(entry) || (entry.path === '/' && here === '/console'),
          count: standing.account ? (entry.count?.(standing.account) ?? 0) : 0,
        })),
    }))
    .filter((section) => section.rooms.length > 0);
}

/** @throws {Problem} 400 for a query that is no text: PostgreSQL has no place for it */
function requireText({ query }: Context): void {
  for (const value of Object.values(query).flat())
    if (value?.includes('\0') || value?.isWellFormed() === false)
      throw new Problem(400, 'invalid_field', 'A text holds what is not text.');
}

/** @throws {Refusal} `not_found` for what cannot be there */
function requireIds(params: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(params)) {
    if (value.includes('\0') || !value.isWellFormed()) throw new Refusal('not_found');
    if (name.endsWith('Id') && !isId(value)) throw new Refusal('not_found');
  }
}

/** Where forms are sent that no page has the address of. */
function postsOnly(): string[] {
  const pages = new Set<string>();
  const sent = new Set<string>();
  const names: Door = {
    get: (path) => void pages.add(path),
    post: (path) => void sent.add(path),
  };
  for (const room of rooms) room.open(names);
  return [...sent].filter((path) => !pages.has(path));
}
