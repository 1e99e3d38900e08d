import { createHash, randomBytes } from 'node:crypto';
import type { Agent, Answer } from './agent.ts';
import type { GivenClient, GivenUser } from './world.ts';

export interface Pkce {
  verifier: string;
  challenge: string;
}

export function pkce(): Pkce {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

const verifiers = new WeakMap<object, string>();

/** The address an application sends a person to. Parameters that are null are left out. */
export function authorizeUrl(
  client: GivenClient,
  extra: Record<string, string | null> = {},
): string {
  const { verifier, challenge } = pkce();
  verifiers.set(client, verifier);
  const params = {
    client_id: client.id,
    redirect_uri: client.redirectUri,
    response_type: 'code',
    scope: 'openid',
    state: 'state-1',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...extra,
  };
  const query = new URLSearchParams(
    Object.entries(params).filter((entry): entry is [string, string] => entry[1] !== null),
  );
  return `/oauth/authorize?${query}`;
}

/** Types an address and a password, and gives back what comes then: a page, or the way back. */
export async function typePassword(
  browser: Agent,
  page: Answer,
  user: { email: string; password: string },
): Promise<Answer> {
  let current = page;
  if (!('password' in current.forms[0]!.fields))
    current = await browser.follow(await browser.submit(current.forms[0]!, { email: user.email }));
  const typed = await browser.submit(current.forms[0]!, {
    email: user.email,
    password: user.password,
  });
  return browser.follow(typed);
}

/** Ticks every box that has to be ticked, and sends the form. */
export async function acceptAll(browser: Agent, page: Answer): Promise<Answer> {
  const form = page.forms[0]!;
  const fields = new URLSearchParams(form.fields);
  for (const { name, value, required } of form.boxes) if (required) fields.append(name, value);
  return browser.follow(await browser.post(form.action, { form: fields }));
}

/** A person signs in at an application; the answer is the redirect back to it. */
export async function signIn(
  browser: Agent,
  client: GivenClient,
  user: Pick<GivenUser, 'email' | 'password'>,
  extra: Record<string, string | null> = {},
): Promise<Answer> {
  const page = await browser.follow(await browser.get(authorizeUrl(client, extra)));
  if (page.location) return page;
  return typePassword(browser, page, user);
}

/** The code of a redirect back to the application. */
export function codeOf(answer: Answer): string {
  const code = answer.location?.searchParams.get('code');
  if (!code)
    throw new Error(`No code came back: ${answer.status} ${answer.location?.href ?? answer.words}`);
  return code;
}

export interface Tokens {
  access_token: string;
  id_token: string;
  refresh_token?: string;
  expires_in: number;
  scope: string;
  token_type: string;
}

export function basic(client: { id: string; secret: string }): Record<string, string> {
  const pair = `${encodeURIComponent(client.id)}:${encodeURIComponent(client.secret)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** Sends a form as an application that authenticates itself. */
export function asClient(
  program: Agent,
  path: string,
  client: GivenClient,
  form: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const open = client.secret === '';
  return program.post(path, {
    form: { ...form, ...(open && { client_id: client.id }) },
    headers: { accept: 'application/json', ...(!open && basic(client)), ...headers },
  });
}

/** Redeems a code with the verifier of the last authorization request of this client. */
export function redeem(
  program: Agent,
  client: GivenClient,
  code: string,
  extra: Record<string, string> = {},
): Promise<Answer> {
  return asClient(program, '/oauth/token', client, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: client.redirectUri,
    code_verifier: verifiers.get(client) ?? '',
    ...extra,
  });
}

export function refresh(program: Agent, client: GivenClient, token: string): Promise<Answer> {
  return asClient(program, '/oauth/token', client, {
    grant_type: 'refresh_token',
    refresh_token: token,
  });
}

export function userinfo(program: Agent, accessToken: string): Promise<Answer> {
  return program.get('/oauth/userinfo', {
    headers: { authorization: `Bearer ${accessToken}`, accept: 'application/json' },
  });
}

/** From the first request to the tokens. */
export async function tokensFor(
  browser: Agent,
  client: GivenClient,
  user: Pick<GivenUser, 'email' | 'password'>,
  extra: Record<string, string | null> = {},
): Promise<Tokens> {
  const answer = await redeem(browser, client, codeOf(await signIn(browser, client, user, extra)));
  if (answer.status !== 200) throw new Error(`No tokens: ${answer.status} ${answer.text}`);
  return answer.json as Tokens;
}
