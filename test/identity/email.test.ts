import { domainToASCII } from 'node:url';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalDomain, canonicalEmail } from '#identity/users/email.ts';

const local64 = 'a'.repeat(64);
const label63 = 'b'.repeat(63);

describe('an e-mail address', () => {
  it.each([
    ['as it is', 'ann@acme.example', 'ann@acme.example'],
    ['in capitals', 'Ann@ACME.Example', 'ann@acme.example'],
    ['with a tag, which is kept', 'ann+news@acme.example', 'ann+news@acme.example'],
    ['with dots, which are kept', 'a.n.n@acme.example', 'a.n.n@acme.example'],
    [
      'with every sign of a dot-atom',
      "!#$%&'*+/=?^_`{|}~-@a.example",
      "!#$%&'*+/=?^_`{|}~-@a.example",
    ],
    ['at a domain in letters of its own', 'ann@m\u00fcller.example', 'ann@xn--mller-kva.example'],
    ['at the same domain, decomposed', 'ann@mu\u0308ller.example', 'ann@xn--mller-kva.example'],
    ['at the same domain, in capitals', 'ann@M\u00dcLLER.example', 'ann@xn--mller-kva.example'],
    ['at the same domain, in ASCII', 'ann@XN--MLLER-KVA.example', 'ann@xn--mller-kva.example'],
    ['at a German domain with \u00df', 'ann@fa\u00df.example', 'ann@xn--fa-hia.example'],
    [
      'at a domain from right to left',
      'ann@\u0645\u062b\u0627\u0644.example',
      'ann@xn--mgbh0fb.example',
    ],
    ['with 64 characters before the @', `${local64}@acme.example`, `${local64}@acme.example`],
    ['of 254 characters', `${local64}@${label63}.${label63}.${'c'.repeat(61)}`, expect.any(String)],
  ])('is accepted %s', (_, typed, canonical) => {
    expect(canonicalEmail(typed)).toEqual(canonical);
  });

  it.each([
    ['nothing', ''],
    ['no @', 'ann'],
    ['nothing before the @', '@acme.example'],
    ['nothing behind the @', 'ann@'],
    ['two @', 'ann@evil.example@acme.example'],
    ['a space at the end', 'ann@acme.example '],
    ['a space at the beginning', ' ann@acme.example'],
    ['a line break', 'ann@acme.example\r\nBcc: eve@evil.example'],
    ['an encoded line break', 'ann%0a@acme.example\n'],
    ['a NUL', 'ann\0@acme.example'],
    ['a quoted part', '"ann"@acme.example'],
    ['a quoted address of another', '"a@evil.example "@corp.example'],
    ['a comment', 'ann(work)@acme.example'],
    ['a comment behind the @', 'ann@(work)acme.example'],
    ['a name and angles', 'Ann <ann@acme.example>'],
    ['a list', 'ann@acme.example,eve@evil.example'],
    ['a dot at the beginning', '.ann@acme.example'],
    ['a dot before the @', 'ann.@acme.example'],
    ['two dots', 'a..nn@acme.example'],
    ['a dot at the end', 'ann@acme.example.'],
    ['65 characters before the @', `a${local64}@acme.example`],
    ['255 characters', `${local64}@${label63}.${label63}.${'c'.repeat(62)}`],
    ['a label of 64 characters', `ann@${label63}b.example`],
    ['a domain of one label', 'ann@localhost'],
    ['an IPv4 address', 'ann@127.0.0.1'],
    ['an IPv4 literal', 'ann@[127.0.0.1]'],
    ['an IPv6 literal', 'ann@[IPv6:::1]'],
    ['a number that is an address', 'ann@0x7f.1'],
    ['an underscore in the domain', 'ann@ac_me.example'],
    ['a hyphen at an end of a label', 'ann@-acme.example'],
    ['a number sign behind the domain', 'ann@acme.example#x'],
    ['a slash behind the domain', 'ann@acme.example/'],
    ['an escaped dot', 'ann@acme%2eexample'],
    ['a Kelvin sign in the name', '\u212aate@acme.example'],
    ['a Kelvin sign in the domain', 'ann@\u212aorp.example'],
    ['a dotless i', 'm\u0131ke@acme.example'],
    ['full-width letters', '\uff41nn@acme.example'],
    ['full-width letters in the domain', 'ann@\uff41cme.example'],
    ['a full-width @', 'ann\uff20acme.example'],
    ['an ideographic full stop', 'ann@acme\u3002example'],
    ['a ligature in the domain', 'ann@\ufb01nance.example'],
    ['a long s in the domain', 'ann@\u017fecure.example'],
    ['a zero-width space', 'a\u200bnn@acme.example'],
    ['a zero-width space in the domain', 'ann@ac\u200bme.example'],
    ['a zero-width joiner in the domain', 'ann@ac\u200dme.example'],
    ['a soft hyphen', 'a\u00adnn@acme.example'],
    ['a soft hyphen in the domain', 'ann@ac\u00adme.example'],
    ['a mark that turns the direction', '\u202eann@acme.example'],
    ['a mark that turns the direction in the domain', 'ann@\u200facme.example'],
    ['a combining accent in the name', 'a\u0301nn@acme.example'],
    ['a variation selector in the domain', 'ann@acme\ufe0f.example'],
    ['a grapheme joiner in the domain', 'ann@ac\u034fme.example'],
    ['a filler letter in the domain', 'ann@ac\u3164me.example'],
    ['an xn-- that means nothing', 'ann@xn--acme.example'],
    ['an xn-- that is ASCII', 'ann@xn--acme-.example'],
    ['an xn-- alone', 'ann@xn--.example'],
    ['an emoji', 'ann@\u{1f4a9}.example'],
    ['an emoji as xn--', 'ann@xn--ls8h.example'],
    ['320 characters and more', `ann@${'a.'.repeat(200)}example`],
  ])('is refused with %s', (_, typed) => {
    expect(canonicalEmail(typed)).toBeNull();
  });

  it.each([[null], [undefined], [7], [{}], [['ann@acme.example']]])('is text, not %j', (value) => {
    expect(canonicalEmail(value)).toBeNull();
  });

  it('has one form, whatever was typed, and PostgreSQL would fold it no further', () => {
    fc.assert(
      fc.property(fc.emailAddress(), (address) => {
        const canonical = canonicalEmail(address);
        if (canonical === null) return;
        expect(canonicalEmail(canonical)).toBe(canonical);
        expect(canonicalEmail(canonical.toUpperCase())).toBe(canonical);
        expect(canonical).toMatch(/^[\x21-\x7e]+$/);
        expect(canonical).toBe(canonical.toLowerCase());
      }),
    );
  });

  it('never comes out of letters that only look like it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('kate@acme.example', 'mike@corp.example'),
        fc.nat(),
        fc
          .integer({ min: 0x80, max: 0x10ffff })
          .filter((point) => point < 0xd800 || point > 0xdfff),
        fc.boolean(),
        (address, at, point, replace) => {
          const place = at % address.length;
          const other = String.fromCodePoint(point);
          const disguised =
            address.slice(0, place) + other + address.slice(place + (replace ? 1 : 0));
          expect(canonicalEmail(disguised)).not.toBe(address);
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe('a domain name', () => {
  it('is compared letter by letter, not by its parent', () => {
    expect(canonicalDomain('sub.acme.example')).toBe('sub.acme.example');
    expect(canonicalDomain('1.2.3.4.example')).toBe('1.2.3.4.example');
  });

  it('that is plain is what a URL makes of it', () => {
    const label = fc.stringMatching(/^[A-Za-z0-9-]{1,6}$/);
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 4 }), (labels) => {
        const name = labels.join('.');
        const canonical = canonicalDomain(name);
        if (canonical !== null) expect(canonical).toBe(domainToASCII(name));
        else expect(name).toMatch(/^[^.]+$|(^|\.)-|-(\.|$)|(^|\.)xn--|(^|\.)[\d-][^.]*$/i);
      }),
      { numRuns: 2000 },
    );
  });

  it('is never one that looks like another only after folding', () => {
    fc.assert(
      fc.property(
        fc
          .integer({ min: 0x80, max: 0x10ffff })
          .filter((point) => point < 0xd800 || point > 0xdfff),
        fc.nat({ max: 3 }),
        (point, at) => {
          const disguised = `${'corp'.slice(0, at)}${String.fromCodePoint(point)}${'corp'.slice(at + 1)}.example`;
          expect(canonicalDomain(disguised) ?? 'xn--').toMatch(/^xn--/);
        },
      ),
      { numRuns: 3000 },
    );
  });
});
