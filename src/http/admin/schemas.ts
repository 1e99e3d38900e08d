import { z } from 'zod';
import { tokenScopes } from '#identity/access/api-token.ts';
import { canonicalCountry } from '#identity/users/country.ts';
import { canonicalEmail } from '#identity/users/email.ts';

/** A moment: RFC 3339 in UTC outside, a `Date` inside. */
export const Moment = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
});

/** Text a person wrote, on one line. Marks that turn the direction of writing are no part of a name. */
export const line = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}\u2028-\u202e\u2066-\u2069]*$/u, 'Must be text on one line.');

export const name = line(100);

export const note = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .regex(/^(?:[^\p{Cc}]|\n)*$/u, 'Must be text.');

/** Text that may be empty, on several lines. */
export const text = (max: number) =>
  z
    .string()
    .trim()
    .max(max)
    .regex(/^(?:[^\p{Cc}]|\n)*$/u, 'Must be text.');

/** Ids of people or groups, as many as one call takes. */
export const Ids = z.array(z.uuid()).max(200).default([]);

export const RoleKeys = z.array(z.string().max(100)).max(50).default([]);

/** An e-mail address. `params.code` makes its problem an `invalid_email`. */
export const Email = z
  .string()
  .max(320)
  .refine((text) => canonicalEmail(text) !== null, {
    error: 'Enter a valid e-mail address.',
    params: { code: 'invalid_email' },
  })
  .meta({ format: 'email' });

/** A country of ISO 3166-1, in either case. */
export const Country = z
  .string()
  .refine((text) => canonicalCountry(text) !== null, {
    error: 'Enter a country as its two-letter code of ISO 3166-1.',
    params: { code: 'invalid_country' },
  })
  .transform((text) => text.toUpperCase())
  .meta({ pattern: '^[A-Za-z]{2}$' });

export const Locale = z.string().regex(/^[a-z]{2}(-[A-Z]{2})?$/, 'Must be a language such as en.');

export const Search = z.string().max(200).optional();

/** The part of a list's query that all lists have. */
export const paging = {
  cursor: z.string().max(1000).optional().describe('The `nextCursor` of the page before.'),
  limit: z
    .string()
    .regex(/^\d{1,9}$/, 'Must be a number.')
    .transform((text) => Math.min(200, Math.max(1, Number(text))))
    .default(50)
    .describe('How many at most: 1 to 200.'),
};

export const noFields = z.strictObject({});

/** What a token is for: capabilities such as `users:read`, or `users:*` for all of an area. */
export const TokenScopes = z
  .array(z.string().refine((scope) => tokenScopes.includes(scope), 'There is no such scope.'))
  .max(100)
  .default([])
  .describe('Such as users:read or users:*; empty: all that the role may.');

/** A page of a list. */
export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().describe('Null on the last page.'),
  });

/** How the audit log is searched. */
export const auditFilter = {
  actor: z.string().max(320).optional().describe('An id or an e-mail address.'),
  target: z.string().max(320).optional().describe('An id or an e-mail address.'),
  action: z
    .string()
    .regex(/^[a-z_]+\.([a-z_]+|\*)$/, 'Such as user.locked, or user.* for all that begin so.')
    .optional(),
  since: Moment.optional(),
  until: Moment.optional().describe('What happened then or later is left out.'),
  ...paging,
};
