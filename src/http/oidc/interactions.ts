import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import type { Param, Place } from '#platform/database/sql.ts';
import type { Registry } from '#identity/applications/client.ts';
import type { PartialProof } from '#identity/sign-in/proof.ts';
import {
  realmOf,
  realmSought,
  soughtFor,
  type RealmRow,
  type Sought,
} from '#identity/federation/home-realm.ts';
import { federationStands } from '#identity/federation/standing.ts';
import { personJson, type Person } from '#identity/users/person.ts';
import { notPutOut, stillAsRead } from '#identity/sign-in/signed-in.ts';
import { again } from '../again.ts';
import type { Interaction, Interactions, SignIn } from '../interactions.ts';
import type { Resume } from './resume.ts';
import { keyOf } from './stored-key.ts';
import { cookieNames } from './cookie-names.ts';

const columns = `
  t.payload, s.uid as session_uid, s.payload ->> 'loginTs' as signed_in_at,
         s.payload ->> 'acr' as session_acr,
         ${personJson('s.user_id', '$2::timestamptz')} as person`;
const rows = `
  from oidc_artifacts t
  left join oidc_sessions s on s.uid = t.payload -> 'session' ->> 'uid'
    and s.user_id::text = t.payload -> 'session' ->> 'accountId' and s.expires_at > $2
    and ${federationStands('s.federation', 's.user_id', '$2')}`;
const alive = `where t.id = $1 and t.model = 'Interaction' and t.expires_at > $2`;

const read = `select ${columns} ${rows} ${alive}`;

/** With the connection to which the address leads that is written beside it. */
const readLeading = `
  select ${columns}, r.* ${rows}
  cross join lateral (
    select array(select jsonb_array_elements_text(t.payload #> '{sought,names}')) as names
  ) h
  left join lateral (
    ${realmSought('h.names', "(t.payload #>> '{sought,email}')")} limit 1
  ) r on true
  ${alive}`;

interface Payload {
  prompt: { name: string; reasons: string[]; details: Record<string, unknown> };
  params: Record<string, unknown>;
  lastSubmission?: Record<string, unknown>;
  session?: { uid?: string; accountId?: string };
  returnTo: string;
  identifier?: string;
  sought?: Sought;
  proof?: PartialProof | null;
  parJti?: string;
}

interface Read extends Partial<RealmRow> {
  payload: Payload;
  session_uid: string | null;
  signed_in_at: string | null;
  session_acr: string | null;
  person: Person | null;
}

/** Lost in a crash of the database, the person answers again. */
const fleeting = { fleeting: true };

/**
 * The engine's interactions, read and answered in one statement each. Whoever signed in by one is its
 * person from then on: when they are put out, it goes with all else that is theirs.
 */
export function interactionsOf(
  database: Database,
  registry: Registry,
  clock: Clock,
  issuer: string,
  resume: Resume,
): Interactions {
  const cookie = cookieNames(issuer).interaction;
  /** What the engine keeps of those that were loaded. */
  const payloads = new WeakMap<Interaction, Payload>();
  return {
    async load(ctx, uid, { leads = false } = {}) {
      if (ctx.cookies.get(cookie, { signed: true }) !== uid) return null;
      const [row] = await database.query<Read>(leads ? readLeading : read, [
        keyOf('Interaction', uid),
        clock(),
      ]);
      // A session that ended meanwhile takes its interactions along.
      if (!row || (row.payload.session?.uid && !row.session_uid)) return null;
      const { payload } = row;
      const interaction: Interaction = {
        uid,
        prompt: payload.prompt,
        params: payload.params,
        client: await registry.client(String(payload.params['client_id'])),
        person: row.person,
        sessionUid: row.session_uid,
        signedInAt: row.signed_in_at === null ? null : Number(row.signed_in_at),
        sessionAcr: row.session_acr,
        proof: payload.proof ?? null,
        identifier: payload.identifier ?? null,
        lastSubmission: payload.lastSubmission ?? {},
        leads:
          leads && payload.sought
            ? { email: payload.sought.email, realm: row.id ? realmOf(row as RealmRow) : null }
            : undefined,
      };
      payloads.set(interaction, payload);
      return interaction;
    },

    async clientOf(uid) {
      const [row] = await database.query<{ client_id: string | null }>(
        `select payload -> 'params' ->> 'client_id' as client_id from oidc_artifacts
         where id = $1 and model = 'Interaction' and expires_at > $2`,
        [keyOf('Interaction', uid), clock()],
      );
      return row?.client_id ?? null;
    },

    async identify({ uid }, identifier) {
      await database.query(
        `update oidc_artifacts set payload = payload
           || jsonb_build_object('identifier', $2::text, 'sought', $3::jsonb)
         where id = $1`,
        [keyOf('Interaction', uid), identifier, JSON.stringify(soughtFor(identifier))],
        fleeting,
      );
    },

    async keep({ uid }, proof) {
      await database.query(
        `update oidc_artifacts set payload = payload || jsonb_build_object('proof', $2::jsonb)
         where id = $1`,
        [keyOf('Interaction', uid), JSON.stringify(proof)],
        fleeting,
      );
    },

    async finish({ uid, lastSubmission }, result, { forgetSession = false } = {}) {
      // An error ends the request; anything else adds to what earlier steps gave.
      const whole = 'error' in result ? result : { ...lastSubmission, ...result };
      const [row] = await database.query<{ return_to: string }>(
        `update oidc_artifacts
         set payload = jsonb_set(payload, '{result}', $2::jsonb) - $3::text[],
           user_id = coalesce(($2::jsonb #>> '{login,accountId}')::uuid, user_id)
         where id = $1
         returning payload ->> 'returnTo' as return_to`,
        [keyOf('Interaction', uid), JSON.stringify(whole), forgetSession ? ['session'] : []],
        fleeting,
      );
      return row?.return_to ?? issuer;
    },

    async signIn(ctx, interaction, { person, login, entry, forgetSession }) {
      const { uid, lastSubmission } = interaction;
      const { session, ...payload } = payloads.get(interaction)!;
      const outcome = {
        ...payload,
        ...(session && !forgetSession && { session }),
        result: { ...lastSubmission, login },
      };
      const resumed = await resume(ctx, uid, outcome, person, {
        stands: (place, now) => stillAsRead(place, now, person, entry !== null),
        parts: (place, given) => entry?.parts(place, given) ?? [],
      });
      ctx.status = 303;
      if (typeof resumed === 'object') {
        ctx.redirect(resumed.to);
        return true;
      }
      // By the engine's own address, where it reads the person anew.
      const kept = await again(() =>
        keepProved(uid, outcome.result, { person, entry, forgetSession }),
      );
      ctx.redirect(kept ? outcome.returnTo : `/sign-in/${uid}`);
      return kept;
    },
  };

  /**
   * Keeps what was proved for the engine, and writes it down: one statement. Whoever puts the person out
   * takes their row before looking for sign-ins under way, so either that is seen here, or this there.
   *
   * Returns whether they were not put out since they were read, and their sign-in was still there.
   */
  async function keepProved(
    uid: string,
    result: Record<string, unknown>,
    { person, entry, forgetSession }: Omit<SignIn, 'login'>,
  ): Promise<boolean> {
    const params: Param[] = [];
    const place: Place = (value) => `$${params.push(value)}`;
    const parts = [
      `proved as (${notPutOut(place, clock(), person, entry !== null)})`,
      `kept as (
        update oidc_artifacts
        set payload = jsonb_set(payload, '{result}', ${place(JSON.stringify(result))}::jsonb)
              - ${place(forgetSession ? ['session'] : [])}::text[],
          user_id = ${place(person.id)}::uuid
        where id = ${place(keyOf('Interaction', uid))} and exists (select from proved)
        returning 1)`,
      ...(entry?.parts(place, 'exists (select from kept)') ?? []),
    ];
    const [row] = await database.query<{ kept: boolean }>(
      `with ${parts.join(',\n')}\nselect exists (select from kept) as kept`,
      params,
      // The session that follows is waited for, and with it all that was written before.
      fleeting,
    );
    return row!.kept;
  }
}
