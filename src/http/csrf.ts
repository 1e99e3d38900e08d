import type { Context, ParameterizedContext } from 'koa';
import { keyedHash, newSecret, sameSecret } from '#platform/secrets.ts';
import { Problem } from './problem.ts';

type Ctx = Context | ParameterizedContext;

/** Keeps other sites from sending our forms in a person's name. */
export interface Csrf {
  /**
   * The value for the hidden field of a form that belongs to `binding`, such as a sign-in. With
   * `whose`, it says so to who gets the form when that sign-in is over.
   */
  token(ctx: Ctx, binding?: string, whose?: Whose): string;
  /**
   * Whom a form was given to, whatever became of their session; null for one that we gave to nobody.
   * @throws {Problem} 403 where another site sends it
   */
  whose(ctx: Ctx, form: Readonly<Record<string, string>>): Whose | null;
  /** A secret of this browser, made when it has none: what was asked for here works only here. */
  browser(ctx: Ctx): string;
  /** @throws {Problem} 403 unless the form is one we gave to this browser. */
  check(ctx: Ctx, form: Record<string, string>, binding?: string): void;
}

/** A person, and what they had a form about: an account by its id, or nothing (''). */
export interface Whose {
  person: string;
  about: string;
}

const cookie = 'ostiary_form';

/**
 * Two checks, either of which would do: the field must fit a cookie (or the sign-in) that another
 * site cannot read, and a browser that says where a form comes from must say it comes from us.
 */
export function csrf(key: Buffer, issuer: string): Csrf {
  const origin = new URL(issuer).origin;
  const secure = issuer.startsWith('https:');
  const name = secure ? `__Host-${cookie}` : cookie;

  function browserSecret(ctx: Ctx): string {
    const state = ctx.state as { formSecret?: string };
    if (state.formSecret) return state.formSecret;
    let secret = ctx.cookies.get(name);
    if (!secret) {
      secret = newSecret(16);
      ctx.cookies.set(name, secret, { httpOnly: true, sameSite: 'lax', secure, overwrite: true });
    }
    return (state.formSecret = secret);
  }

  const markOf = ({ person, about }: Whose): string => keyedHash(key, `whose:${person}:${about}`);

  return {
    browser: browserSecret,
    token(ctx, binding, whose) {
      const token = keyedHash(key, `form:${binding ?? browserSecret(ctx)}`);
      return whose ? [token, whose.person, whose.about, markOf(whose)].join('.') : token;
    },

    whose(ctx, form) {
      requireSameOrigin(ctx, origin);
      const [, person = '', about = '', mark = ''] = (form['csrf'] ?? '').split('.');
      const whose = { person, about };
      return person !== '' && sameSecret(mark, markOf(whose)) ? whose : null;
    },

    check(ctx, form, binding) {
      requireSameOrigin(ctx, origin);
      const secret = binding ?? ctx.cookies.get(name);
      const [token = ''] = (form['csrf'] ?? '').split('.');
      if (!secret || !sameSecret(token, keyedHash(key, `form:${secret}`)))
        throw new Problem(
          403,
          'form_expired',
          'This form is no longer good. Go back, load the page again and send it once more.',
        );
    },
  };
}

/** @throws {Problem} 403 where the browser says that another site sends this. */
export function requireSameOrigin(ctx: Ctx, origin: string): void {
  const from = ctx.get('origin');
  const site = ctx.get('sec-fetch-site');
  if ((from && from !== origin) || (site && site !== 'same-origin' && site !== 'none'))
    throw new Problem(403, 'foreign_origin', 'This form was sent by another site.');
}
