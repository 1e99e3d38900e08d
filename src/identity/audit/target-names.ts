import type { Sql } from '#platform/database/sql.ts';
import { isId } from '#platform/ids.ts';

/**
 * What the things that rows of the log are about are called today, by their id. Of a person only an
 * account they belong to learns it: whoever left has a name elsewhere.
 *
 * @param accountId whose log is read; null for all of it
 */
export async function targetNames(
  sql: Sql,
  accountId: string | null,
  targets: readonly ({ type: string; id: string } | null)[],
): Promise<Map<string, string>> {
  const ids = (...types: string[]): string[] =>
    targets.flatMap((one) => (one && types.includes(one.type) && isId(one.id) ? [one.id] : []));
  const wanted = [
    ids('user'),
    ids('group'),
    ids('connection'),
    ids('account', 'audit'),
    ids('api_token'),
    ids('scim_token'),
    ids('webhook'),
    ids('invitation'),
    targets.flatMap((one) => (one?.type === 'client' ? [one.id] : [])),
  ];
  if (wanted.flat().length === 0) return new Map();
  const rows = await sql.query<{ id: string; name: string }>(
    `select id::text as id, email_display as name from users
     where id = any($2::uuid[]) and email_display is not null
       and ($1::uuid is null or account_id = $1)
     union all select id::text, name from groups
     where id = any($3::uuid[]) and ($1::uuid is null or account_id = $1)
     union all select id::text, name from connections
     where id = any($4::uuid[]) and ($1::uuid is null or account_id = $1)
     union all select id::text, name from accounts
     where id = any($5::uuid[]) and ($1::uuid is null or id = $1)
     union all select id::text, name from api_tokens
     where id = any($6::uuid[]) and ($1::uuid is null or account_id = $1)
     union all select id::text, name from scim_tokens
     where id = any($7::uuid[]) and ($1::uuid is null or account_id = $1)
     union all select id::text, url from webhooks
     where id = any($8::uuid[]) and ($1::uuid is null or account_id = $1)
     union all select id::text, email_display from invitations
     where id = any($9::uuid[]) and email_display <> '' and ($1::uuid is null or account_id = $1)
     union all select id, name from clients where id = any($10::text[])`,
    [accountId, ...wanted],
  );
  return new Map(rows.map(({ id, name }) => [id, name]));
}
