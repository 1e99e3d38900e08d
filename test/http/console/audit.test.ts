import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it as alone } from 'vitest';
import { fieldText } from '#http/audit-fields.ts';
import { changeSettings, defaultSettings } from '#identity/accounts/settings.ts';
import { changesOf } from '#identity/audit/changes.ts';
import { translator } from '#messages/translate.ts';
import { it } from '#test/support/it.ts';
import { acmeAndFay, open } from './support.ts';

/** What the program says, file by file. */
function sources(): string[] {
  const folder = new URL('../../../src/', import.meta.url);
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(new URL(file, folder), 'utf8'));
}

/** The names in the object that a call of `record` is given after its action and its target. */
function detailsIn(source: string): string[] {
  return [
    ...source.matchAll(/\brecord\(\s*['`][\s\S]*?(?:\}|target(?:\([^)]*\))?),\s*\{/g),
  ].flatMap(({ index, 0: { length } }) => {
    let open = 1;
    let end = index + length;
    for (; open > 0 && end < source.length; end += 1)
      open += source[end] === '{' ? 1 : source[end] === '}' ? -1 : 0;
    const details = source.slice(index + length - 1, end);
    return [...details.matchAll(/(?<=[{,]\s*)([a-zA-Z]\w*)(?=\s*(?::|,|\}))/g)]
      .map(([name]) => name)
      .filter((name) => name !== 'after' && name !== 'settings');
  });
}

describe('the audit log in the console', () => {
  it('says who did what, and what each thing changed', async ({ given, browser }) => {
    const { acme, fay } = await acmeAndFay(given);
    await given.work((work) =>
      changeSettings(work, { role: 'operator' }, acme.id, {
        password: { minLength: 16, composition: 'any' },
      }),
    );
    const page = await open(browser, '/audit', fay);
    expect(page.words).toContain('account.changed');
    expect(page.words).toContain('Characters at least 12 16');
    // What stayed is not told.
    expect(page.words).not.toContain('Kinds of characters');
    expect(page.words).toContain('fay@acme.example');
    const german = await browser.get('/console/audit?ui_locales=de');
    expect(german.words).toContain(`${translator('de')('rooms.settings.min_length')} 12 16`);
    expect((await browser.get('/console/audit.csv')).text).toContain('minLength');
  });

  alone('has words for every setting that can be changed', () => {
    const t = translator('en');
    const settings = {
      ...defaultSettings,
      inactivity: { days: 1, after: 'nothing', afterDays: 1 },
    };
    const { changes } = changesOf({ before: {}, after: { settings } });
    expect(changes.length).toBeGreaterThan(14);
    expect(changes.filter(({ field }) => fieldText(t, field) === field)).toEqual([]);
  });

  alone('has words for every detail that is written down', () => {
    const t = translator('en');
    const names = new Set(sources().flatMap(detailsIn));
    expect(names.size).toBeGreaterThan(80);
    expect([...names].filter((name) => fieldText(t, name) === name)).toEqual([]);
  });

  it('tells details in words, and by the names of today', async ({ given, browser }) => {
    const { acme, fay } = await acmeAndFay(given);
    const bob = await given.user('bob@acme.example', { of: acme });
    const other = await given.account('Beta');
    const eve = await given.user('eve@beta.example', { of: other });
    await given.work((work) => {
      const target = { type: 'user', id: bob.id } as const;
      work.record('session.ended', target, { user: bob.id, reason: 'signed out' }, acme.id);
      work.record('user.changed', target, { user: eve.id, changed: ['givenName'] }, acme.id);
      work.record('role.granted', target, { role: 'co_administrator', country: 'DE' }, acme.id);
      work.record('domain.claimed', { type: 'domain', id: 'labs.example' }, {}, acme.id);
      work.record('key.rotated', { type: 'key', id: 'Kq3vN8' }, {}, acme.id);
      work.record('account.held', target, { reason: 'Typed by somebody.' }, acme.id);
      return Promise.resolve();
    });
    await open(browser, '/audit', fay);
    const { words } = await browser.get('/console/audit?ui_locales=de');
    for (const said of [
      'Person bob@acme.example',
      'Grund Abgemeldet',
      'Was geändert wurde Vorname',
      'Rolle Co-Administrator',
      'Land Deutschland',
      'Grund Typed by somebody.',
      'Domain: labs.example',
      'Signaturschlüssel gewechselt Schlüssel Ostiary von selbst',
    ])
      expect(words).toContain(said);
    // Somebody of another account has no name here.
    expect(words).toContain(eve.id);
    expect(words).not.toContain('eve@beta.example');
  });

  it('is narrowed by what, who and when, and says what it does not understand', async ({
    given,
    browser,
    server,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const bob = await given.user('bob@acme.example', { of: acme });
    await open(browser, '/audit', fay);
    const found = await browser.get(`/console/audit?action=user.*&target=${bob.id}`);
    expect(found.words).toContain('user.affiliated');
    expect(found.words).not.toContain('sign_in.succeeded');
    const today = server.clock().toISOString().slice(0, 10);
    expect((await browser.get(`/console/audit?until=${today}`)).words).toContain('user.affiliated');
    expect((await browser.get('/console/audit?until=2001-01-01')).words).toContain(
      'Nothing like this happened.',
    );
    const wrong = await browser.get('/console/audit?action=everything&since=yesterday');
    expect(wrong.status).toBe(422);
    expect(wrong.alerts).toHaveLength(2);
    // A page that nobody gave out is the first one.
    expect((await browser.get('/console/audit?cursor=made.up')).words).toContain('user.affiliated');
  });

  it('leaves as a file, which is written down, and is checked', async ({ given, browser }) => {
    const { acme, fay } = await acmeAndFay(given);
    const beta = await given.account('Beta');
    await given.user('eve@beta.example', { of: beta });
    await open(browser, '/audit', fay);
    const csv = await browser.get('/console/audit.csv?action=user.*');
    expect(csv.headers['content-disposition']).toContain('audit.csv');
    expect(csv.text).toContain('user.affiliated');
    expect(csv.text).not.toContain(beta.id);
    const lines = await browser.get('/console/audit.jsonl');
    expect(JSON.parse(lines.text.split('\n')[0]!)).toMatchObject({ v: 1, account: acme.id });
    expect((await given.events()).filter((event) => event === 'audit.exported')).toHaveLength(2);
    const checked = await browser.get('/console/audit/check');
    expect(checked.words).toContain('Acme: 0 rows are as written, and none is missing.');
  });

  it('keeps from a Co-Administrator what changed in settings, and all logs from both', async ({
    given,
    browser,
  }) => {
    const { acme } = await acmeAndFay(given);
    const cora = await given.user('cora@acme.example', { of: acme, roles: ['co_administrator'] });
    await given.work((work) =>
      changeSettings(work, { role: 'operator' }, acme.id, { signUp: 'closed' }),
    );
    const page = await open(browser, '/audit', cora);
    expect(page.words).toContain('account.changed');
    expect(page.words).not.toContain('Cannot register');
    expect((await browser.get('/console/audit.jsonl')).text).not.toContain('signUp');
    expect((await browser.get('/console/installation/audit')).status).toBe(403);
  });

  it('shows names that mean harm as text', async ({ given, browser }) => {
    const { acme, fay } = await acmeAndFay(given);
    await given.work((work) => {
      work.record(
        'group.created',
        { type: 'group', id: '"><svg onload=alert(1)>' },
        {
          name: '<script>alert(1)</script>\u202e',
          country: '<b>',
          locale: '-',
          role: '__proto__',
          reason: 'constructor',
          before: { a: '<b>' },
          after: { a: '<i>' },
        },
        acme.id,
      );
      return Promise.resolve();
    });
    const page = await open(browser, '/audit', fay);
    expect(page.words).toContain('<script>alert(1)</script>');
    expect(page.text).not.toMatch(/<script>alert|<svg onload/);
  });
});
