import { gzipSync } from 'node:zlib';
import { describe, expect } from 'vitest';
import { assets } from '#http/assets.ts';
import { it } from '#test/support/it.ts';
import { acmeAndFay, open } from './support.ts';

/** Nobody waits for a page of the console: the lightest of its peers is 80 KB (peers.md, section 5). */
const most = 60 * 1024;

describe('every room of the console', () => {
  it('is light, whole, and sound without a script', async ({ given, browser }) => {
    const { acme, fay } = await acmeAndFay(given);
    const ann = await given.user('ann@acme.example', { of: acme });
    await given.locked(ann, 'admin', '"><script>alert(1)</script>');
    await given.rows(
      `insert into users (id, email, email_display, given_name, family_name, identity, affiliation,
         account_id, created_at, updated_at)
       select gen_random_uuid(), 'p' || n || '@acme.example', 'p' || n || '@acme.example',
         '<b>' || md5(n::text), md5('a' || n), 'ready', 'member', $1, now(), now()
       from generate_series(1, 60) n`,
      [acme.id],
    );
    const start = await open(browser, '/users', fay);
    const menu = [...start.text.matchAll(/<li>\s*<a href="\/console([^"]*)"/g)].map(
      ([, path]) => path!,
    );
    expect(menu.length).toBeGreaterThan(8);
    const more = ['/users/add', `/users/${ann.id}`, `/users/do/lock?ids=${ann.id}`, '/groups/new'];
    for (const path of [...menu, ...more]) {
      const { text, status } = await open(browser, path, fay);
      expect([path, status]).toEqual([path, 200]);
      expect([path, weight(text) < most]).toEqual([path, true]);
      expect([path, ...faults(text)]).toEqual([path]);
    }
  });
});

/** What is sent for a first look at the page, compressed. */
function weight(markup: string): number {
  const files = new Set(
    [...markup.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path!),
  );
  let sum = gzipSync(markup).length;
  for (const path of files) sum += assets.get(path)!.bodies.br.length;
  return sum;
}

function faults(markup: string): string[] {
  const tags = markup.match(/<[a-z][^<>]*>/g) ?? [];
  const bare = tags.map((tag) => tag.replace(/"[^"]*"/g, '""'));
  const ids = [...markup.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id!);
  const labels = [...markup.matchAll(/<label[^>]* for="([^"]*)"/g)].map(([, id]) => id!);
  const fields = tags.filter(
    (tag) => /^<(input|select|textarea)/.test(tag) && !/type="hidden"/.test(tag),
  );
  const described = [...markup.matchAll(/aria-(?:describedby|labelledby)="([^"]*)"/g)].flatMap(
    ([, list]) => list!.split(' '),
  );
  return [
    ...bare.filter((tag) => /\s(style|on\w+)=/.test(tag)).map((tag) => `inline: ${tag}`),
    ...(/<script(?![^>]* src="\/assets\/)|<style/.test(markup) ? ['inline script or style'] : []),
    ...ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `twice: ${id}`),
    ...fields
      .filter(
        (tag) => !labels.includes(/\sid="([^"]*)"/.exec(tag)?.[1] ?? '') && !/aria-label/.test(tag),
      )
      .map((tag) => `no label: ${tag}`),
    ...described.filter((id) => !ids.includes(id)).map((id) => `describes nothing: ${id}`),
    ...(/\bundefined\b|\[object |NaN/.test(markup) ? ['a value that is none'] : []),
    ...(markup.match(/<h1[ >]/g)?.length === 1 ? [] : ['not one heading']),
    ...(markup.includes('<b>') || markup.includes('<script>alert') ? ['markup of others'] : []),
    ...[...markup.matchAll(/<form[\s\S]*?<\/form>/g)]
      .map(([form]) => form)
      .filter((form) => /^<form[^>]*method="post"/.test(form) && !form.includes('name="csrf"'))
      .map(() => 'a form without its token'),
  ];
}
