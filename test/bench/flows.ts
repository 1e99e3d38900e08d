import { authorizePath, codeVerifier, pathOf, scope, unexpected } from './authorize.ts';
import { samlFlows } from './saml-flows.ts';
import { scimFlows } from './scim-flows.ts';
import { locationOf, type Browser, type WireAnswer } from './wire.ts';

/** A system under load: where it is, and who may sign in to what. */
export interface Place {
  host: string;
  ports: number[];
  paths: {
    authorize: string;
    token: string;
    userinfo: string;
    introspect: string;
    discovery: string;
    keys: string;
  };
  client: { id: string; secret: string; redirectUri: string };
  resource: string;
  people: { email: string; password: string }[];
  /** Those who sign in at a provider of their company. */
  federated?: { email: string }[];
  /** One for each connection that speaks SAML, where their provider is one that lies. */
  saml?: { email: string }[];
  /** A directory of the account, and some of those it knows. */
  scim?: ScimPlace;
}

export interface ScimPlace {
  token: string;
  accountId: string;
  users: { id: string; userName: string }[];
  /** Groups of ten thousand, one for each client. */
  groups: string[];
  /** How many users the account has. */
  crowd: number;
}

/** What one client does again and again. */
export interface Flow {
  /** HTTP requests of one operation. */
  requests: number;
  /** Done once per client before the clock runs; what is returned does one operation. */
  prepare(browser: Browser, place: Place, index: number): Promise<() => Promise<void>>;
}

function basic({ client }: Place): string {
  const pair = `${encodeURIComponent(client.id)}:${encodeURIComponent(client.secret)}`;
  return `Authorization: Basic ${Buffer.from(pair).toString('base64')}\r\nAccept: application/json\r\n`;
}

function codeOf(place: Place, answer: WireAnswer): string {
  const location = locationOf(answer);
  if (!location?.startsWith(place.client.redirectUri)) unexpected('Authorization', answer);
  return /[?&]code=([^&]+)/.exec(location)?.[1] ?? unexpected('Authorization', answer);
}

async function redeem(browser: Browser, place: Place, code: string): Promise<WireAnswer> {
  const answer = await browser.post(
    place.paths.token,
    `grant_type=authorization_code&code=${code}&redirect_uri=${encodeURIComponent(place.client.redirectUri)}&code_verifier=${codeVerifier}`,
    basic(place),
  );
  if (answer.status !== 200 || !answer.body.includes('"id_token":"eyJ'))
    unexpected('Redeeming a code', answer);
  return answer;
}

function field(answer: WireAnswer, name: string): string {
  return (
    new RegExp(`"${name}":"([^"]+)"`).exec(answer.body)?.[1] ??
    unexpected(`Reading ${name}`, answer)
  );
}

/** The form of a page, and its token; undefined where there is none that leads there. */
function formOf(
  { body }: WireAnswer,
  leads = '',
): { action: string; csrf: string | undefined } | undefined {
  const action = new RegExp(`<form[^>]*\\saction="([^"]*${leads}[^"]+)"`).exec(body)?.[1];
  return action === undefined
    ? undefined
    : { action, csrf: /name="csrf"[^>]*?\svalue="([^"]+)"/.exec(body)?.[1] };
}

/** Types into the form of a sign-in what it may ask for, and sends it. */
function typeInto(
  browser: Browser,
  { email, password }: Place['people'][number],
  { action, csrf }: { action: string; csrf: string | undefined },
): Promise<WireAnswer> {
  return browser.post(
    pathOf(action),
    new URLSearchParams({ ...(csrf && { csrf }), email, password }).toString(),
    'Accept: text/html\r\n',
  );
}

/** From the application to the page, the password typed, and back with a code. */
async function signIn(
  browser: Browser,
  place: Place,
  index: number,
  extra: Record<string, string> = {},
): Promise<string> {
  const person = place.people[index % place.people.length]!;
  let answer = await browser.get(authorizePath(place, { login_hint: person.email, ...extra }));
  for (let step = 0; step < 12; step += 1) {
    const location = locationOf(answer);
    if (location?.startsWith(place.client.redirectUri)) return codeOf(place, answer);
    if (location) {
      answer = await browser.get(pathOf(location));
      continue;
    }
    const form = formOf(answer);
    if (answer.status !== 200 || !form) return unexpected('Signing in', answer);
    answer = await typeInto(browser, person, form);
  }
  return unexpected('Signing in', answer);
}

/** To a page of the console, with the password typed on the way. */
async function openConsole(
  browser: Browser,
  place: Place,
  index: number,
  path: string,
): Promise<void> {
  const person = place.people[index % place.people.length]!;
  let answer = await browser.get(path);
  for (let step = 0; step < 16; step += 1) {
    const location = locationOf(answer);
    const form = formOf(answer, '/sign-in/');
    if (location) answer = await browser.get(pathOf(location));
    else if (answer.status === 200 && form) answer = await typeInto(browser, person, form);
    else if (answer.status === 200) return;
    else break;
  }
  unexpected('Opening the console', answer);
}

/** From the application to the company's provider, which lets everybody in, and back with a code. */
async function signInUpstream(browser: Browser, place: Place, index: number): Promise<string> {
  const { email } = place.federated![index % place.federated!.length]!;
  let answer = await browser.get(authorizePath(place, { login_hint: email }));
  for (let step = 0; step < 12; step += 1) {
    const location = locationOf(answer);
    if (location?.startsWith(place.client.redirectUri)) return codeOf(place, answer);
    if (!location) unexpected('Signing in at the provider', answer);
    const to = new URL(location, `http://${place.host}`);
    if (to.pathname === '/authorize' && to.host !== place.host) {
      const asked = to.searchParams;
      const code = Buffer.from(JSON.stringify({ nonce: asked.get('nonce'), email }));
      const back = new URLSearchParams({
        code: code.toString('base64url'),
        state: asked.get('state')!,
      });
      answer = await browser.get(`${pathOf(asked.get('redirect_uri')!)}?${back}`);
    } else answer = await browser.get(to.pathname + to.search);
  }
  return unexpected('Signing in at the provider', answer);
}

function fetching(path: (place: Place) => string, expected: string): Flow {
  return {
    requests: 1,
    prepare: (browser, place) =>
      Promise.resolve(async () => {
        const answer = await browser.get(path(place), 'Accept: application/json\r\n');
        if (answer.status !== 200 || !answer.body.includes(expected))
          unexpected('Reading a document', answer);
      }),
  };
}

async function accessToken(browser: Browser, place: Place, index: number): Promise<string> {
  return field(await redeem(browser, place, await signIn(browser, place, index)), 'access_token');
}

export const flows: Record<string, Flow> = {
  ...scimFlows,
  ...samlFlows,

  /** A person with a session opens another page of an application. */
  code: {
    requests: 2,
    async prepare(browser, place, index) {
      await redeem(browser, place, await signIn(browser, place, index));
      const address = authorizePath(place, { prompt: 'none' });
      return async () => {
        await redeem(browser, place, codeOf(place, await browser.get(address)));
      };
    },
  },

  refresh: {
    requests: 1,
    async prepare(browser, place, index) {
      const code = await signIn(browser, place, index, {
        scope: `${scope} offline_access`,
        prompt: 'consent',
      });
      let token = field(await redeem(browser, place, code), 'refresh_token');
      const headers = basic(place);
      return async () => {
        const answer = await browser.post(
          place.paths.token,
          `grant_type=refresh_token&refresh_token=${token}`,
          headers,
        );
        const next = field(answer, 'refresh_token');
        if (answer.status !== 200 || next === token) unexpected('Refreshing', answer);
        token = next;
      };
    },
  },

  client_credentials: {
    requests: 1,
    prepare: (browser, place) => {
      const headers = basic(place);
      const form = `grant_type=client_credentials&scope=api%3Aread&resource=${encodeURIComponent(place.resource)}`;
      return Promise.resolve(async () => {
        const answer = await browser.post(place.paths.token, form, headers);
        if (answer.status !== 200 || !answer.body.includes('"access_token":"eyJ'))
          unexpected('Client credentials', answer);
      });
    },
  },

  introspection: {
    requests: 1,
    async prepare(browser, place, index) {
      const form = `token=${await accessToken(browser, place, index)}`;
      browser.forget(/^$/);
      const headers = basic(place);
      return async () => {
        const answer = await browser.post(place.paths.introspect, form, headers);
        if (answer.status !== 200 || !answer.body.includes('"active":true'))
          unexpected('Introspection', answer);
      };
    },
  },

  userinfo: {
    requests: 1,
    async prepare(browser, place, index) {
      const token = await accessToken(browser, place, index);
      browser.forget(/^$/);
      const headers = `Authorization: Bearer ${token}\r\nAccept: application/json\r\n`;
      return async () => {
        const answer = await browser.get(place.paths.userinfo, headers);
        if (answer.status !== 200 || !answer.body.includes('"email":"'))
          unexpected('Userinfo', answer);
      };
    },
  },

  discovery: fetching(({ paths }) => paths.discovery, '"issuer":'),
  keys: fetching(({ paths }) => paths.keys, '"keys":'),
  health: fetching(() => '/healthz', '"ok"'),

  /** An administrator looks at the people of their organization. */
  console_people: {
    requests: 1,
    async prepare(browser, place, index) {
      await openConsole(browser, place, index, '/console/users');
      return async () => {
        const answer = await browser.get('/console/users');
        if (answer.status !== 200 || !answer.body.includes('@')) unexpected('The list', answer);
      };
    },
  },

  /** They take the list of people with them, however many there are. */
  console_export: {
    requests: 1,
    async prepare(browser, place, index) {
      await openConsole(browser, place, index, '/console/bulk');
      return async () => {
        const answer = await browser.get('/console/bulk/users.csv?format=compact');
        const rows = answer.body.split('\r\n').length;
        if (answer.status !== 200 || rows < (place.scim?.crowd ?? 1))
          unexpected('The file', answer);
      };
    },
  },

  /** A person whom their company's provider has proved before; theirs is what is measured, not its. */
  federated_sign_in: {
    requests: 5,
    async prepare(browser, place, index) {
      await signInUpstream(browser, place, index);
      return async () => {
        browser.forget(/^$/);
        await redeem(browser, place, await signInUpstream(browser, place, index));
      };
    },
  },

  /** A person comes back to a browser they have used before, and types their password. */
  sign_in: {
    requests: 4,
    async prepare(browser, place, index) {
      await signIn(browser, place, index);
      return async () => {
        browser.forget(/device/);
        await redeem(browser, place, await signIn(browser, place, index));
      };
    },
  },
};
