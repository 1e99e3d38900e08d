import type { BrowserContext, Locator, Page } from 'playwright-core';
import { sharedBrowser } from './browser.ts';
import type { TestServer } from './server.ts';

/** How long a page may take to say what is expected of it, in milliseconds. */
const patience = 15_000;

/** Somebody at a browser of their own, who does what they see: a link, a button, a field. */
export class Visitor {
  readonly page: Page;
  /** What the browser complained about: a script that failed, something the policy forbids. */
  readonly complaints: string[] = [];
  readonly #context: BrowserContext;

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
    page.setDefaultTimeout(patience);
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      // A form that comes back with an error is no fault of the page.
      if (message.type() === 'error' && !/status of 4\d\d/.test(message.text()))
        this.complaints.push(`${page.url()}: ${message.text()}`);
    });
  }

  static async arrives({ url }: TestServer): Promise<Visitor> {
    const browser = await sharedBrowser();
    const context = await browser.newContext({
      baseURL: url,
      locale: 'en-US',
      timezoneId: 'America/Los_Angeles',
      reducedMotion: 'reduce',
    });
    return new Visitor(context, await context.newPage());
  }

  async open(path: string): Promise<void> {
    await this.page.goto(path);
  }

  press(name: string): Promise<void> {
    return this.page.getByRole('button', { name, exact: true }).click();
  }

  follow(name: string): Promise<void> {
    return this.page.getByRole('link', { name, exact: true }).click();
  }

  /** Goes to a room of the console by its menu. */
  enter(room: string): Promise<void> {
    const menu = this.page.getByRole('navigation', { name: 'Menu' });
    return menu.getByRole('link', { name: room, exact: true }).click();
  }

  async type(values: Readonly<Record<string, string>>): Promise<void> {
    for (const [label, value] of Object.entries(values)) await this.field(label).fill(value);
  }

  async choose(label: string, option: string): Promise<void> {
    await this.field(label).selectOption({ label: option });
  }

  tick(label: string): Promise<void> {
    return this.field(label).check();
  }

  field(label: string): Locator {
    return this.page.getByLabel(label, { exact: true });
  }

  /** Waits until the page says this. */
  async reads(text: string | RegExp): Promise<void> {
    const main = this.page.locator('main', { hasText: text });
    try {
      await main.waitFor();
    } catch {
      const said = await this.page.locator('body').innerText();
      throw new Error(`"${text}" is not said at ${this.page.url()}, but:\n${said}`);
    }
  }

  /** Waits until the page says that something was done. */
  async isTold(text: string): Promise<void> {
    await this.page.getByRole('status').filter({ hasText: text }).waitFor();
  }

  /** Waits until the page says that something cannot be done. */
  async isRefused(text: string): Promise<void> {
    await this.page.getByRole('alert').filter({ hasText: text }).waitFor();
  }

  async signsIn(email: string, password: string): Promise<void> {
    await this.type({ 'E-mail address': email });
    await this.press('Continue');
    await this.type({ Password: password });
    await this.press('Sign in');
  }

  leaves(): Promise<void> {
    return this.#context.close();
  }
}
