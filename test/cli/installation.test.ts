import type { ChildProcess } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { begin, emptyFolder, ostiary } from './support.ts';

const long = 240_000;

describe('an installation', () => {
  it(
    'is made, looked at, rotated while it runs and while it does not, and thrown away',
    async () => {
      const folder = emptyFolder();
      const port = await freePort();
      const env = { DATA_DIR: folder, PORT: String(port) };
      expect(await ostiary(['migrate', '--check'], env)).toMatchObject({
        status: 1,
        out: 'There is no database yet.\n',
      });
      expect((await ostiary(['doctor'], env)).out).toContain('warn  database: there is none yet');
      expect(existsSync(join(folder, 'db'))).toBe(false);

      const server = begin(['serve'], env);
      try {
        await said(server, 'Ostiary is at');
        const doctor = await ostiary(['doctor'], env);
        expect([doctor.status, doctor.err]).toEqual([0, '']);
        expect(doctor.out).toContain('ok    database: embedded, in use by the running server');
        expect(doctor.out).toContain(`ok    issuer: http://localhost:${port} answers`);
        const rotated = await ostiary(['keys', 'rotate', '--json'], env);
        expect([rotated.status, rotated.err]).toEqual([0, '']);
        expect(rotated.json()).toHaveLength(6);
        const ann = await ostiary(['user', 'show', 'ann@acme.example', '--account', 'Acme'], env);
        expect(ann.out).toContain('active');
        const reset = await ostiary(['demo', 'reset'], env);
        expect(reset.status).toBe(1);
        expect(reset.err).toMatch(/in use by another process.*\(folder_in_use\)/s);
      } finally {
        await stopped(server);
      }

      expect(await ostiary(['migrate', '--check'], env)).toMatchObject({
        status: 0,
        out: 'Up to date.\n',
      });
      const discarded = await ostiary(['keys', 'rotate', '--discard', '--json'], env);
      expect([discarded.status, discarded.err]).toEqual([0, '']);
      expect(discarded.json()).toHaveLength(4);
      const doctor = await ostiary(['doctor'], env);
      for (const line of [
        /ok +settings: for development/,
        /ok +database: embedded PostgreSQL 1\d/,
        /ok +migrations: up to date/,
        /ok +keys: 4, current and next/,
        /ok +clock: \d\.\d s/,
        /ok +outbox: \d+ waiting/,
        /ok +mail: kept at \/dev\/mailbox/,
        /warn +issuer: http:\/\/localhost:\d+ does not answer/,
      ])
        expect(doctor.out).toMatch(line);
      expect(doctor.status).toBe(0);
      const other = Buffer.alloc(32, 9).toString('base64');
      const stranger = await ostiary(['doctor', '--json'], { ...env, SECRET_KEY: other });
      expect(stranger.status).toBe(1);
      expect(stranger.json().findings).toContainEqual({
        check: 'keys',
        state: 'fail',
        found: 'SECRET_KEY does not open them',
        advice: expect.stringContaining('separated by a comma'),
      });
      const locked = await ostiary(['serve'], { ...env, SECRET_KEY: other });
      expect(locked.status).toBe(1);
      expect(locked.err).toMatch(/^Nothing opens .*SECRET_KEY .*\(wrong_key\)\n$/);

      expect(existsSync(join(folder, 'demo.json'))).toBe(true);
      expect((await ostiary(['demo', 'reset'], env)).status).toBe(0);
      for (const gone of ['db', 'db.lock', 'demo.json'])
        expect(existsSync(join(folder, gone))).toBe(false);
    },
    long,
  );

  it('is told every setting that is missing in production', async () => {
    const env = { DATA_DIR: emptyFolder(), NODE_ENV: 'production' };
    const doctor = await ostiary(['doctor'], env);
    expect(doctor.status).toBe(1);
    for (const name of ['ISSUER', 'DATABASE_URL', 'SECRET_KEY', 'SMTP_URL', 'MAIL_FROM'])
      expect(doctor.out).toContain(`fail  settings: ${name}`);
    const migrate = await ostiary(['migrate'], env);
    expect(migrate).toMatchObject({ status: 1, out: '' });
    expect(migrate.err).toContain('SECRET_KEY');
  });

  it('is told what stands in the way, and what to look at: no stack', async () => {
    const nowhere = { DATA_DIR: emptyFolder(), DATABASE_URL: 'postgres://nobody@127.0.0.1:9/none' };
    const silent = await ostiary(['migrate', '--check', '--json'], nowhere);
    expect(silent).toMatchObject({ status: 1, out: '' });
    expect(JSON.parse(silent.err)).toEqual({
      code: 'database',
      detail: expect.stringMatching(/^The database cannot be used: .*Look at DATABASE_URL\.$/),
    });
    const refused = { DATA_DIR: emptyFolder() };
    const file = await ostiary(
      ['backup', '--out', join(refused.DATA_DIR, 'none', 'file')],
      refused,
    );
    expect(file).toMatchObject({ status: 1, out: '' });
    expect(file.err).not.toMatch(/\n\s+at /);
    expect(file.err).toMatch(/\([a-z_]+\)\n$/);
  });

  it('is told that its mail server does not answer, or is none', async () => {
    const liar = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve));
    const { port } = liar.address() as AddressInfo;
    const folder = emptyFolder();
    writeFileSync(join(folder, 'nothing'), '');
    const env = { DATA_DIR: folder, ISSUER: 'http://localhost:9' };
    const wrong = await ostiary(['doctor'], { ...env, SMTP_URL: `smtp://127.0.0.1:${port}` });
    expect(wrong.out).toContain('it does not speak SMTP');
    const silent = await ostiary(['doctor'], { ...env, SMTP_URL: 'smtp://127.0.0.1:9' });
    expect(silent.out).toMatch(/fail +mail: 127\.0\.0\.1:9: .*ECONNREFUSED/);
    expect(silent.status).toBe(1);
    liar.close();
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function said(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let all = '';
    const look = (data: Buffer): void => {
      all += data.toString();
      if (all.includes(text)) resolve();
    };
    child.stdout!.on('data', look);
    child.stderr!.on('data', look);
    child.on('exit', (status) => reject(new Error(`It ended with ${status}: ${all}`)));
  });
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
}
