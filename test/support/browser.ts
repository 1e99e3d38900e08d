import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { type Browser, chromium as launcher } from 'playwright-core';

/**
 * The one browser of a worker, opened by the first test that asks. Tests open a context of their
 * own and close it; the browser goes when the worker goes.
 */
export function sharedBrowser(): Promise<Browser> {
  browser ??= launch();
  return browser;
}

let browser: Promise<Browser> | undefined;

/**
 * The flags are ours: those of the package turn the same-origin policy off, and put everything into
 * one process, which dies with the first page that is closed.
 */
async function launch(): Promise<Browser> {
  const folder = await unpacked();
  return launcher.launch({
    executablePath: join(folder, 'chromium'),
    args: ['--no-sandbox', '--no-zygote', '--disable-gpu', '--disable-dev-shm-usage'],
    headless: true,
    env: { ...process.env, FONTCONFIG_FILE: join(folder, 'fonts.conf') },
  });
}

/**
 * The package unpacks to the temporary folder, in place. Two workers at once would run half a file,
 * so each unpacks into a folder of its own, and one of them gives it the lasting name.
 */
async function unpacked(): Promise<string> {
  const folder = join(tmpdir(), `ostiary-chromium-${await version()}-${userInfo().uid}`);
  if (existsSync(folder)) return folder;

  const draft = await mkdtemp(`${folder}-`);
  const before = process.env.TMPDIR;
  process.env.TMPDIR = draft;
  try {
    await chromium.executablePath();
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
  await writeFile(join(draft, 'fonts.conf'), fontsIn(folder));
  await rename(draft, folder).catch(() => rm(draft, { recursive: true }));
  return folder;
}

async function version(): Promise<string> {
  const manifest = new URL('../package.json', import.meta.resolve('@sparticuz/chromium'));
  return (JSON.parse(await readFile(manifest, 'utf8')) as { version: string }).version;
}

/** Only the font that the package brings: a page looks the same on every machine. */
function fontsIn(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${folder}/fonts</dir>
  <cachedir>${folder}/fonts-cache</cachedir>
</fontconfig>
`;
}
