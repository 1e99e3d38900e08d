import type { Sql } from '#platform/database/sql.ts';
import type { Actor } from './actor.ts';

/**
 * Who answers for an actor, for what takes two persons: `user:<id>`, or `machine` for whoever sits at
 * the server itself. A token is whoever made it, and a token made with a token is whoever made that
 * one: two tokens of one person are one person, and so are that person's browser and token. Tokens
 * made at the server, by the command line or at the start, are all the machine's.
 */
export async function personBehind(sql: Sql, actor: Actor): Promise<string> {
  let maker = actor;
  while (maker.type === 'api_token') {
    const [token] = await sql.query<{ maker: Actor }>(
      'select created_by as maker from api_tokens where id = $1',
      [maker.id],
    );
    if (!token) return 'machine';
    maker = token.maker;
  }
  return maker.type === 'user' ? `user:${maker.id}` : 'machine';
}
