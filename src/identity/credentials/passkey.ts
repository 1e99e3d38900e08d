import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
  type AuthenticationResponseJSON,
  type RegistrationResponseJSON,
  type WebAuthnCredential,
} from '@simplewebauthn/server';
import { newId } from '#platform/ids.ts';
import { newSecret, secretHash } from '#platform/secrets.ts';
import type { Person } from '../users/person.ts';
import type { Foundation } from '../work.ts';

/**
 * Passkeys and security keys (Web Authentication, Level 2). The PIN or the finger is always asked for,
 * so that a passkey is two factors: it may stand beside a password, and in the place of one.
 *
 * A challenge is kept as a row that is good once, for five minutes, and for the sign-in or session it
 * was given to alone: an answer overheard elsewhere fits nothing.
 */
const challengeLife = 5 * 60_000;

/** EdDSA, ES256 and RS256, by their numbers (RFC 9053): what passkeys and keys of today know. */
const algorithms = [-8, -7, -257];

/** Told by the browser to the person: which service this is. */
const product = 'Ostiary';

/** What the public key of a passkey is bound to: our host, and nothing below it. */
function relyingParty(issuer: string): { rpID: string; origin: string } {
  const { hostname, origin } = new URL(issuer);
  return { rpID: hostname, origin };
}

async function newChallenge(
  { database, clock }: Foundation,
  purpose: 'passkey_create' | 'passkey_get',
  userId: string | null,
  binding: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const challenge = newSecret();
  const now = clock();
  await database.query(
    `insert into one_time_tokens (id, purpose, user_id, secret_hash, binding, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      newId(now.getTime()),
      purpose,
      userId,
      secretHash(challenge),
      secretHash(binding),
      now,
      new Date(now.getTime() + challengeLife),
    ],
  );
  return new Uint8Array(Buffer.from(challenge, 'base64url'));
}

/** Uses a challenge up, whether the answer is right or not. `null` says that it was nobody's. */
async function spendChallenge(
  { database, clock }: Foundation,
  purpose: 'passkey_create' | 'passkey_get',
  binding: string,
  challenge: string,
): Promise<{ userId: string | null } | null> {
  const now = clock();
  const [row] = await database.query<{ user_id: string | null }>(
    `update one_time_tokens set used_at = $4
     where secret_hash = $1 and purpose = $2 and binding = $3 and used_at is null
       and expires_at > $4
     returning user_id`,
    [secretHash(challenge), purpose, secretHash(binding), now],
  );
  return row ? { userId: row.user_id } : null;
}

/** What the browser is to ask of a new passkey. */
export async function passkeyCreation(foundation: Foundation, person: Person, binding: string) {
  const known = await foundation.database.query<{ id: string; transports: string[] }>(
    `select credential_id as id, transports from factors where user_id = $1 and kind = 'passkey'`,
    [person.id],
  );
  const { rpID } = relyingParty(foundation.issuer);
  return generateRegistrationOptions({
    rpName: product,
    rpID,
    userName: person.email ?? person.id,
    userDisplayName: `${person.givenName} ${person.familyName}`.trim(),
    userID: new Uint8Array(Buffer.from(person.id)),
    challenge: await newChallenge(foundation, 'passkey_create', person.id, binding),
    attestationType: 'none',
    supportedAlgorithmIDs: algorithms,
    excludeCredentials: known,
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
  });
}

export interface NewPasskey {
  credentialId: string;
  publicKey: string;
  signCount: number;
  transports: string[];
  backedUp: boolean;
}

/** The passkey in what the browser answered, or null where the answer is not good. */
export async function readNewPasskey(
  foundation: Foundation,
  person: Pick<Person, 'id'>,
  binding: string,
  answer: string,
): Promise<NewPasskey | null> {
  const read = readAnswer(answer);
  if (!read) return null;
  const { challenge } = read;
  const given = await spendChallenge(foundation, 'passkey_create', binding, challenge);
  if (given?.userId !== person.id) return null;
  const { rpID, origin } = relyingParty(foundation.issuer);
  try {
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: read.response as RegistrationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: rpID,
      requireUserVerification: true,
      supportedAlgorithmIDs: algorithms,
    });
    if (!verified) return null;
    const { credential, credentialBackedUp } = registrationInfo;
    return {
      credentialId: credential.id,
      publicKey: Buffer.from(credential.publicKey).toString('base64url'),
      signCount: credential.counter,
      transports: (credential.transports ?? []).filter((one) => /^[a-z-]{1,20}$/.test(one)),
      backedUp: credentialBackedUp,
    };
  } catch {
    // The library throws at whatever does not fit: a foreign origin, no PIN, a wrong format.
    return null;
  }
}

/**
 * What the browser is to ask a passkey. Of a person who is known, theirs; of one who is not, any: to
 * name those of an address that was typed would tell that it is somebody's.
 */
export async function passkeyQuestion(
  foundation: Foundation,
  person: Pick<Person, 'id'> | null,
  binding: string,
) {
  const own = person
    ? await foundation.database.query<{ id: string; transports: string[] }>(
        `select credential_id as id, transports from factors where user_id = $1 and kind = 'passkey'`,
        [person.id],
      )
    : [];
  return generateAuthenticationOptions({
    rpID: relyingParty(foundation.issuer).rpID,
    challenge: await newChallenge(foundation, 'passkey_get', person?.id ?? null, binding),
    allowCredentials: own,
    userVerification: 'required',
  });
}

/**
 * Whose passkey answered, or null where the answer is not good.
 *
 * A counter that did not grow, where there is one, is a copy of a key that cannot be copied (Web
 * Authentication, section 6.1.1); of answers at the same time one counts.
 */
export async function readPasskeyAnswer(
  foundation: Foundation,
  person: Pick<Person, 'id'> | null,
  binding: string,
  answer: string,
): Promise<{ userId: string; backedUp: boolean } | null> {
  const { database, clock, issuer } = foundation;
  const read = readAnswer(answer);
  if (!read) return null;
  const given = await spendChallenge(foundation, 'passkey_get', binding, read.challenge);
  if (!given || given.userId !== (person?.id ?? null)) return null;
  const [stored] = await database.query<{
    id: string;
    user_id: string;
    public_key: string;
    sign_count: string;
    transports: string[];
  }>(
    `select id, user_id, public_key, sign_count::text, transports from factors
     where credential_id = $1 and ($2 = '' or user_id::text = $2)`,
    [read.id, person?.id ?? ''],
  );
  if (!stored) return null;
  const response = read.response as AuthenticationResponseJSON;
  const shown = await verified(issuer, response, read.challenge, {
    id: read.id,
    publicKey: new Uint8Array(Buffer.from(stored.public_key, 'base64url')),
    counter: Number(stored.sign_count),
  });
  if (!shown) return null;
  const counted = await database.query(
    `update factors set sign_count = $2, backed_up = $3, last_used_at = $4
     where id = $1 and (sign_count < $2 or (sign_count = 0 and $2 = 0)) returning 1`,
    [stored.id, shown.newCounter, shown.credentialBackedUp, clock()],
  );
  return counted.length > 0 ? { userId: stored.user_id, backedUp: shown.credentialBackedUp } : null;
}

/** The library throws at whatever does not fit: a foreign origin, no PIN, a counter that went back. */
async function verified(
  issuer: string,
  response: AuthenticationResponseJSON,
  expectedChallenge: string,
  credential: WebAuthnCredential,
) {
  const { rpID, origin } = relyingParty(issuer);
  try {
    const result = await verifyAuthenticationResponse({
      response,
      expectedChallenge,
      expectedOrigin: origin,
      expectedRPID: rpID,
      requireUserVerification: true,
      credential,
    });
    return result.verified ? result.authenticationInfo : null;
  } catch {
    return null;
  }
}

/**
 * What the browser sent, and the challenge that it says it answers: whether it does is for the
 * signature to prove. The library checks the rest, and throws.
 */
function readAnswer(answer: string): { response: object; id: string; challenge: string } | null {
  const response = readJson(answer);
  const { id, response: signed } = response ?? {};
  const data =
    isObject(signed) && typeof signed['clientDataJSON'] === 'string'
      ? readJson(Buffer.from(signed['clientDataJSON'], 'base64url').toString())
      : null;
  if (!response || typeof id !== 'string' || typeof data?.['challenge'] !== 'string') return null;
  return { response, id, challenge: data['challenge'] };
}

function readJson(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
