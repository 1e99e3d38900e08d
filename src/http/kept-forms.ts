import type { Context } from 'koa';
import type { Html } from '#platform/html.ts';
import { newSecret, secretHash } from '#platform/secrets.ts';
import type { Foundation } from '#identity/work.ts';
import { queryText } from './context.ts';
import type { Csrf, Whose } from './csrf.ts';
import type { PageContext } from './layout.ts';
import { keptFormPage } from './pages/kept-form.ts';

type Fields = Readonly<Record<string, string>>;

/**
 * Forms that were sent by somebody who had to prove first who they are. What they typed waits,
 * sealed, and is offered to the same person in the same browser when they are back: signing in again
 * loses nothing.
 */
export interface KeptForms {
  /** Where the sender comes back to: the address of the form, which names what is kept of it. */
  keep(ctx: Context, form: Fields, whose: Whose | null): Promise<string>;
  /** The page that offers what this address names, or null where nothing of theirs waits. */
  offer(ctx: Context, page: PageContext, whose: Whose): Promise<Html | null>;
  /**
   * The fields of a form: its own, or, where it stands for one that was kept, those. Null where they
   * are gone.
   */
  fieldsOf(ctx: Context, form: Fields, whose: Whose): Promise<Fields | null>;
  /** What a form stood for was done, or is on a page again. */
  forget(form: Fields): Promise<void>;
}

const field = 'kept';
const life = 24 * 3600_000;

/** A person who sends this many has long forgotten the first. */
const most = 10;

export function keptForms(
  { database, vault, clock }: Pick<Foundation, 'database' | 'vault' | 'clock'>,
  csrf: Pick<Csrf, 'browser'>,
): KeptForms {
  return {
    async keep(ctx, form, whose) {
      if (!whose) return ctx.path;
      const back = (secret: string): string => `${ctx.path}?${field}=${secret}`;
      const { csrf: token, ...typed } = form;
      void token;
      // It was on its way already, and waits still.
      if (typed[field] !== undefined) return back(encodeURIComponent(typed[field]));
      if (Object.keys(typed).length === 0) return ctx.path;
      const secret = newSecret();
      const now = clock();
      await database.query(
        `with old as (
           delete from kept_forms where user_id = $2 and id_hash not in (
             select id_hash from kept_forms where user_id = $2 order by expires_at desc limit $5))
         insert into kept_forms (id_hash, user_id, sealed, expires_at) values ($1, $2, $3, $4)`,
        [
          secretHash(secret),
          whose.person,
          vault.seal(JSON.stringify(typed), contextOf(ctx, whose)),
          new Date(now.getTime() + life),
          most - 1,
        ],
      );
      return back(secret);
    },

    async offer(ctx, page, whose) {
      const secret = queryText(ctx, field) ?? '';
      const waits = await read(ctx, secret, whose);
      return waits && keptFormPage({ ...page, action: ctx.path, fields: { [field]: secret } });
    },

    async fieldsOf(ctx, form, whose) {
      const secret = form[field];
      return secret === undefined ? form : read(ctx, secret, whose);
    },

    async forget(form) {
      if (form[field] === undefined) return;
      await database.query('delete from kept_forms where id_hash = $1', [secretHash(form[field])]);
    },
  };

  async function read(ctx: Context, secret: string, whose: Whose): Promise<Fields | null> {
    const [row] = await database.query<{ sealed: string }>(
      'select sealed from kept_forms where id_hash = $1 and user_id = $2 and expires_at > $3',
      [secretHash(secret), whose.person, clock()],
    );
    if (!row) return null;
    try {
      return JSON.parse(vault.open(row.sealed, contextOf(ctx, whose))) as Fields;
    } catch {
      return null;
    }
  }

  /**
   * It is good at its own address, for what it was about, and in the browser that sent it: whoever has
   * a session of somebody else must not have them send, by a link, what they could not themselves.
   */
  function contextOf(ctx: Context, { person, about }: Whose): string {
    return `kept form ${person} ${about} ${ctx.path} ${secretHash(csrf.browser(ctx))}`;
  }
}
