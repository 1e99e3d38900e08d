import { Secret, TOTP } from 'otpauth';
import type { Agent, Answer } from './agent.ts';
import type { TestClock, TestServer } from './server.ts';
import { typePassword } from './sign-in.ts';
import type { GivenUser } from './world.ts';

/** An authenticator app on somebody's phone. */
export class App {
  readonly #secret: Secret;
  readonly #clock: TestClock;

  constructor(secret: string, clock: TestClock) {
    this.#secret = Secret.fromBase32(secret.replaceAll(' ', ''));
    this.#clock = clock;
  }

  /** The code it shows now, or showed some steps ago. */
  code(ago = 0): string {
    return TOTP.generate({
      secret: this.#secret,
      timestamp: this.#clock().getTime() - ago * 30_000,
    });
  }

  /** The code after the last one that was used: half a minute later. */
  next(): string {
    this.#clock.advance(30);
    return this.code();
  }

  /** A code that it never shows around now. */
  wrong(): string {
    const around = new Set([-3, -2, -1, 0, 1, 2, 3].map((ago) => this.code(ago)));
    let code = 0;
    while (around.has(String(code).padStart(6, '0'))) code += 1;
    return String(code).padStart(6, '0');
  }
}

/** The secret that a page shows to an app. */
export function appOn(page: Answer, clock: TestClock): App {
  const [, secret] = /<p class="value code">([A-Z2-7 ]+)<\/p>/.exec(page.text) ?? [];
  if (!secret) throw new Error(`No secret is shown: ${page.words}`);
  return new App(secret, clock);
}

/** The recovery codes that a page shows. */
export function codesOn(page: Answer): string[] {
  return [...page.text.matchAll(/<li><code>([^<]+)<\/code><\/li>/g)].map(([, code]) => code!);
}

export interface Enrolment {
  app: App;
  recoveryCodes: string[];
  /** What came after the codes. */
  answer: Answer;
}

/** Sets up an app on the page that asks for a second factor, and goes on. */
export async function enrolApp(browser: Agent, page: Answer, clock: TestClock): Promise<Enrolment> {
  const app = appOn(page, clock);
  const codes = await browser.submit(page.forms[0]!, { code: app.code() });
  const recoveryCodes = codesOn(codes);
  const answer = await browser.follow(await browser.submit(codes.forms.at(-1)!));
  return { app, recoveryCodes, answer };
}

/** Somebody signs in, and adds an app in their profile. */
export async function addApp(
  server: TestServer,
  who: GivenUser,
  browser: Agent = server.agent(),
): Promise<Enrolment> {
  const page = await browser.follow(await browser.get('/profile/factors/app'));
  return enrolApp(browser, await typePassword(browser, page, who), server.clock);
}
