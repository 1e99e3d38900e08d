import { describe, expect, it } from 'vitest';
import { claimable, typedDomain } from '#identity/domains/claimable.ts';

const platform = 'id.ostiary.io';

describe('a domain that an organization may claim', () => {
  it.each<[typed: string, name: string]>([
    ['acme.com', 'acme.com'],
    ['  Acme.COM ', 'acme.com'],
    ['@acme.com', 'acme.com'],
    ['acme.com.', 'acme.com'],
    ['eng.acme.com', 'eng.acme.com'],
    ['acme.co.uk', 'acme.co.uk'],
    ['acme.github.io', 'acme.github.io'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER.example', 'xn--bcher-kva.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['corp.test', 'corp.test'],
    ['3m.com', '3m.com'],
    ['ostiary.com', 'ostiary.com'],
    ['notostiary.io', 'notostiary.io'],
    ['mygmail.com', 'mygmail.com'],
    ['gmail.com.acme.test', 'gmail.com.acme.test'],
  ])('%j is %s', (typed, name) => {
    expect(claimable(typed, platform)).toEqual({ claimable: true, name });
  });
});

describe('nobody claims', () => {
  it.each([
    // Public mail, however it is written (D-21).
    ['gmail.com', 'public_mail_domain'],
    ['GMAIL.com', 'public_mail_domain'],
    ['gmail.com.', 'public_mail_domain'],
    ['@gmail.com', 'public_mail_domain'],
    ['googlemail.com', 'public_mail_domain'],
    ['outlook.de', 'public_mail_domain'],
    ['mailinator.com', 'public_mail_domain'],
    ['yahoo.co.uk', 'public_mail_domain'],
    ['ｇmail.com', 'invalid_domain'],
    ['gmail。com', 'invalid_domain'],
    ['gma\u00adil.com', 'invalid_domain'],
    ['\u212amart.com', 'invalid_domain'],
    // What belongs to everybody (D-27).
    ['co.uk', 'public_suffix'],
    ['github.io', 'public_suffix'],
    ['s3.amazonaws.com', 'public_suffix'],
    ['com.tr', 'public_suffix'],
    // What is no domain.
    ['com', 'invalid_domain'],
    ['localhost', 'invalid_domain'],
    ['', 'invalid_domain'],
    [' ', 'invalid_domain'],
    ['@', 'invalid_domain'],
    ['.', 'invalid_domain'],
    ['10.0.0.1', 'invalid_domain'],
    ['[::1]', 'invalid_domain'],
    ['::1', 'invalid_domain'],
    ['0x7f.1', 'invalid_domain'],
    ['2130706433', 'invalid_domain'],
    ['a..b.com', 'invalid_domain'],
    ['.acme.com', 'invalid_domain'],
    ['acme.com..', 'invalid_domain'],
    ['-acme.com', 'invalid_domain'],
    ['acme-.com', 'invalid_domain'],
    ['ex ample.com', 'invalid_domain'],
    ['acme.com/path', 'invalid_domain'],
    ['acme.com#x', 'invalid_domain'],
    ['acme.com:443', 'invalid_domain'],
    ['https://acme.com', 'invalid_domain'],
    ['ann@acme.com', 'invalid_domain'],
    ['_ostiary-challenge.acme.com', 'invalid_domain'],
    ['*.acme.com', 'invalid_domain'],
    ['acme.com\u0000', 'invalid_domain'],
    [`${'a'.repeat(64)}.com`, 'invalid_domain'],
    [`${'a.'.repeat(126)}co`.slice(0, 254), 'invalid_domain'],
    [`${'abcdefghi.'.repeat(26)}com`, 'invalid_domain'],
    // Names that mean another machine in every network.
    ['printer.local', 'invalid_domain'],
    ['app.localhost', 'invalid_domain'],
    ['acme.internal', 'invalid_domain'],
    ['acme.invalid', 'invalid_domain'],
    ['acme.onion', 'invalid_domain'],
    ['10.in-addr.arpa', 'invalid_domain'],
    ['fritz.home.arpa', 'invalid_domain'],
    ['acme.corp', 'invalid_domain'],
    // Ours.
    ['id.ostiary.io', 'invalid_domain'],
    ['mail.id.ostiary.io', 'invalid_domain'],
    ['ostiary.io', 'invalid_domain'],
  ])('%j: %s', (typed, code) => {
    expect(claimable(typed, platform)).toMatchObject({ claimable: false, code });
  });

  it.each([null, undefined, 7, {}, ['acme.com']])('%j', (typed) => {
    expect(claimable(typed, platform)).toMatchObject({ claimable: false, code: 'invalid_domain' });
  });
});

describe('the domain of this installation', () => {
  it('is vouched for by an operator alone, and its own host by nobody', () => {
    expect(claimable('ostiary.io', platform, { operator: true })).toMatchObject({
      claimable: true,
    });
    expect(claimable('id.ostiary.io', platform, { operator: true })).toMatchObject({
      why: 'platform',
    });
  });

  it('takes nothing away where it is tried out', () => {
    expect(claimable('acme.example', 'localhost')).toMatchObject({ claimable: true });
  });
});

describe('typedDomain', () => {
  it('takes one sign before and one dot behind, no more', () => {
    expect(typedDomain('@@acme.com')).toBeNull();
    expect(typedDomain('acme.com.')).toBe('acme.com');
    expect(typedDomain('acme.com..')).toBeNull();
  });
});
