import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ground = ['platform'];
const rules = ['identity', 'platform'];
const door = ['http', 'http/pages', 'identity', 'messages', 'platform'];

/**
 * Who may import whom: itself, the zones named here, and no other. A zone is a folder of `src`.
 * Files directly in `src` put the program together and may import everything; nobody imports them.
 */
const zones: Record<string, readonly string[]> = {
  platform: [],
  messages: ground,
  identity: ground,
  delivery: [...rules, 'messages'],
  cli: rules,
  http: ['http/pages', 'identity', 'messages', 'platform'],
  'http/pages': ['http', 'messages', 'platform'],
  'http/admin': door,
  'http/console': door,
  'http/dev': door,
  'http/federation': door,
  'http/oidc': door,
  'http/scim': door,
  'http/self-service': door,
  'http/sign-in': door,
};

/** Packages that few zones may know. */
const owners: Record<string, string | readonly string[]> = {
  koa: 'http',
  '@koa/router': 'http',
  'koa-compose': 'http/oidc',
  'oidc-provider': ['http/oidc', 'http/dev'],
  'openid-client': ['http/dev', 'http/federation'],
  'scim2-parse-filter': 'identity/scim',
  '@node-saml/node-saml': 'platform/saml',
  '@xmldom/xmldom': 'platform/saml',
  'xml-crypto': 'platform/saml',
  'xml-encryption': 'platform/saml',
  otpauth: 'identity/credentials',
  '@simplewebauthn/server': 'identity/credentials',
  uqr: 'http',
  pg: 'platform/database',
  '@electric-sql/pglite': 'platform/database',
  nodemailer: 'platform/mail',
  pino: 'platform/observability',
};

const files = globSync('src/*/**/*.ts').map((file) => file.replaceAll('\\', '/'));

describe('the import rule', () => {
  it.each(files)('%s imports only what it may', (file) => {
    expect(imports(file).filter((specifier) => !mayImport(file, specifier))).toEqual([]);
  });

  it('holds within a zone too: no file needs itself by way of others', () => {
    expect(circles()).toEqual([]);
  });

  it('knows every zone there is', () => {
    const found = new Set(files.map((file) => file.split('/')[1]!));
    expect([...found].filter((zone) => !(zone in zones))).toEqual([]);
  });
});

describe('the rules of the house', () => {
  const sources = globSync(['src/**/*.ts', 'config/**/*.ts']).map((file) => ({
    file,
    text: readFileSync(file, 'utf8'),
  }));

  it('reads the environment in one place', () => {
    expect(where(/process\.env/)).toEqual(['config/load.ts']);
  });

  it('asks the clock it was given, never the system, what time it is', () => {
    const allowed = ['src/platform/clock.ts', 'src/platform/ids.ts'];
    expect(where(/new Date\(\)|Date\.now\(\)/).filter((file) => !allowed.includes(file))).toEqual(
      [],
    );
  });

  it('builds no address from what a request says about the host', () => {
    expect(where(/ctx\.(request\.)?(host|hostname|origin|href)\b/)).toEqual([]);
  });

  it('never redirects to where a request says it came from', () => {
    expect(where(/redirect\(\s*['"]back['"]|ctx\.get\(['"]referer/i)).toEqual([]);
  });

  it('decides who may come in, in one function', () => {
    const deciding = where(/\.locks\.(some|length|find)\(|identity !== 'ready'/).filter(
      (file) => file.startsWith('src/http/') && !file.endsWith('refused.ts'),
    );
    expect(deciding).toEqual([]);
  });

  function where(pattern: RegExp): string[] {
    return sources.filter(({ text }) => pattern.test(text)).map(({ file }) => file);
  }
});

/** The files that can be reached from themselves, a type counts like any other name. */
function circles(): string[] {
  const named = new Map(
    globSync('src/**/*.ts').map((file) => [
      file,
      imports(file)
        .filter((specifier) => /^[.#]/.test(specifier))
        .map((specifier) => pathOf(file, specifier)),
    ]),
  );
  const reach = (from: string, seen = new Set<string>()): Set<string> => {
    for (const next of named.get(from) ?? [])
      if (!seen.has(next)) {
        seen.add(next);
        reach(next, seen);
      }
    return seen;
  };
  return [...named.keys()].filter((file) => reach(file).has(file));
}

/** The file that `#identity/work.ts` or `./work.ts` names. */
function pathOf(file: string, specifier: string): string {
  return specifier.startsWith('#')
    ? join('src', specifier.slice(1))
    : join(dirname(file), specifier);
}

function imports(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [
    ...text.matchAll(/(?:^|\n)\s*(?:import|export)[^'"`;]*?from\s*['"]([^'"]+)['"]/g),
    ...text.matchAll(/(?:^|\n)\s*import\s*['"]([^'"]+)['"]/g),
    ...text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g),
  ].map((match) => match[1]!);
}

function mayImport(file: string, specifier: string): boolean {
  const zone = zoneOf(file);
  const owner = owners[packageOf(specifier)];
  if (owner) return [owner].flat().some((one) => within(file, one));
  if (!/^[.#]/.test(specifier)) return true;
  if (/^#(config|test|migrations)\//.test(specifier)) return false;

  const target = zoneOf(pathOf(file, specifier));
  return target === zone || (zones[zone] ?? []).includes(target);
}

function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]!;
}

/** `http/scim` for `src/http/scim/user.ts`, `http` for `src/http/layout.ts`. */
function zoneOf(file: string): string {
  const [zone = ''] = Object.keys(zones)
    .filter((name) => within(file, name))
    .sort((a, b) => b.length - a.length);
  return zone;
}

function within(file: string, zone: string): boolean {
  return file.startsWith(`src/${zone}/`);
}
