import { describe, expect, it } from 'vitest';
import { loadConfig, type BadSettings } from '#config/load.ts';

const key = Buffer.from(Array.from({ length: 32 }, (_, at) => (at * 37) % 256)).toString('base64');
const good = {
  NODE_ENV: 'production',
  ISSUER: 'https://id.example.com',
  DATABASE_URL: 'postgres://ostiary@db/ostiary',
  SECRET_KEY: key,
  SMTP_URL: 'smtps://mail.example.com',
  MAIL_FROM: 'Example <no-reply@example.com>',
};

/** The settings that are named as wrong, each with what is said of it. */
function complaints(environment: Record<string, string>): string[] {
  try {
    loadConfig(environment);
    return [];
  } catch (error) {
    return [...(error as BadSettings).problems];
  }
}

const named = (environment: Record<string, string>) =>
  complaints(environment).map((one) => one.split(':')[0]);

describe('an operator who starts it', () => {
  it('is told every problem at once: what is missing, what is no such value, what is weak', () => {
    expect(complaints(good)).toEqual([]);
    expect(named({ NODE_ENV: 'production' })).toEqual([
      'ISSUER',
      'DATABASE_URL',
      'SECRET_KEY',
      'SMTP_URL',
      'MAIL_FROM',
    ]);
    const wrong = {
      NODE_ENV: 'production',
      ISSUER: 'http://id.example.com',
      PORT: '99999',
      DATABASE_URL: 'pglite:somewhere',
      SECRET_KEY: 'c2hvcnQ=',
      SMTP_URL: 'mail.example.com',
      MAIL_FROM: 'nobody',
      DNS_SERVERS: 'one:two:three',
      TRUSTED_PROXIES: 'the proxy',
      EGRESS_ALLOW: 'http://inside/',
      WORKERS: '0',
      LOG_LEVEL: 'loud',
      SECOND_FACTOR: 'sometimes',
      SECOND_FACTOR_REMEMBER_DAYS: '31',
      STEP_UP_MINUTES: 'five',
      DEMO: '1',
    };
    const { NODE_ENV: _right, ...each } = wrong;
    expect(new Set(named(wrong))).toEqual(new Set(Object.keys(each)));
    expect(named(wrong)).toHaveLength(Object.keys(each).length);
  });

  it('names a setting once, and blames none for what another has wrong', () => {
    expect(complaints({ ...good, ISSUER: 'id.example.com', WORKERS: '4' })).toEqual([
      'ISSUER: must be an address, https://... or http://...',
    ]);
    expect(complaints({ ...good, DATABASE_URL: 'mysql://db', WORKERS: '4' })).toEqual([
      'DATABASE_URL: must be postgres://... or pglite:<folder>',
    ]);
    expect(complaints({ ...good, PORT: 'http' })).toEqual([
      'PORT: must be a number from 0 to 65535.',
    ]);
  });

  it.for([
    ['of one letter, often', Buffer.alloc(48, 'a').toString('base64')],
    ['of a few bytes, over and over', Buffer.from('0123456789abcde'.repeat(4)).toString('base64')],
    ['that is a sentence', 'correct horse battery staple, and another horse after it'],
    ['beside one that is too short', `${key},c2hvcnQ=`],
  ])('is refused a secret key %s', ([, weak]) => {
    expect(named({ ...good, SECRET_KEY: weak! })).toEqual(['SECRET_KEY']);
  });

  it('is served under the address itself: no path, no query, no name, no port that goes without saying', () => {
    for (const no of ['/path', '?a=b', '#part'])
      expect(named({ ...good, ISSUER: good.ISSUER + no })).toEqual(['ISSUER']);
    expect(named({ ...good, ISSUER: 'https://me:secret@id.example.com' })).toEqual(['ISSUER']);
    expect(loadConfig({ ...good, ISSUER: 'https://ID.example.com:443/' }).issuer).toBe(good.ISSUER);
  });
});
