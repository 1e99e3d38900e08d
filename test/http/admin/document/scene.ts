import type { Agent, Answer } from '#test/support/agent.ts';
import type { TestServer } from '#test/support/server.ts';
import type { World } from '#test/support/world.ts';
import type { Caller } from '../support.ts';
import type { Witness } from './witness.ts';

/** Nobody and nothing has it. */
export const unknown = '01a201aa-a637-7dcc-b569-3b562a947439';

/** What a part of the API is played through with. */
export interface Scene {
  given: World;
  server: TestServer;
  program: Agent;
  operator: Caller;
  as: Witness['caller'];
  /** It is refused with this code, or it stands among the problems. */
  no(code: string, answer: Promise<Answer>): Promise<Answer>;
  /** It is done. */
  yes(status: number, answer: Promise<Answer>): Promise<Answer>;
}

export function sceneOf(
  { given, server, program }: Pick<Scene, 'given' | 'server' | 'program'>,
  { caller, problems }: Witness,
  operator: Caller,
): Scene {
  const wrong = (what: string, answer: Answer): string | null => {
    const was = answer.status < 300 ? `${answer.status}` : (answer.json.code as string);
    return was === what ? null : `${answer.url.pathname}: ${was}, not ${what}: ${answer.text}`;
  };
  return {
    given,
    server,
    program,
    operator,
    as: caller,
    async no(code, answer) {
      const said = await answer;
      const problem = wrong(code, said);
      if (problem) problems.push(problem);
      return said;
    },
    async yes(status, answer) {
      const said = await answer;
      const problem = wrong(`${status}`, said);
      if (problem) throw new Error(problem);
      return said;
    },
  };
}

/** A domain of an account in whatever state it takes time to come to. */
export async function domainOf(
  { given }: Scene,
  account: { id: string },
  name: string,
  state: string,
  proof: string | null = null,
): Promise<void> {
  await given.rows(
    `insert into domains (id, account_id, name, state, proof, owned_at, claimed_at, expires_at, created_at)
     values (gen_random_uuid(), $1::uuid, $2, $3, nullif($4, ''), now(), now(), now() + interval '7 days', now())`,
    [account.id, name, state, proof ?? ''],
  );
}

/** More of what there is one of, each with values of its own where there may be no two alike. */
export async function many(
  { given }: Scene,
  table: string,
  where: string,
  count: number,
  own: readonly string[] = [],
): Promise<void> {
  const fields = ['id', ...own].map((name) => `'${name}', gen_random_uuid()`).join(', ');
  await given.rows(
    `insert into ${table}
     select (jsonb_populate_record(null::${table}, to_jsonb(t) || jsonb_build_object(${fields}))).*
     from (select * from ${table} where ${where} limit 1) t, generate_series(1, ${count})`,
  );
}
