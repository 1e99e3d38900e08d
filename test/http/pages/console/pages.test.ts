import { describe, expect, it } from 'vitest';
import { locales } from '#platform/i18n.ts';
import { csrf, hostile, pageContext } from '../samples.ts';
import { consoleSamples } from './every-sample.ts';

describe('every page of the console', () => {
  it.each(locales)('can be shown in %s', (locale) => {
    const page = pageContext(locale);
    const faults = consoleSamples.flatMap(({ name, render }) =>
      faultsOf(String(render(page)), locale).map((fault) => `${name}: ${fault}`),
    );
    expect(faults).toEqual([]);
  });
});

/** What would be wrong in any language. */
function faultsOf(markup: string, locale: string): string[] {
  const ids = [...markup.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id!);
  const described = [...markup.matchAll(/\saria-(?:describedby|labelledby)="([^"]*)"/g)].flatMap(
    ([, list]) => list!.split(' '),
  );
  const forms = markup.match(/<form[^>]* method="post"[\s\S]*?<\/form>/g) ?? [];
  return [
    ...(markup.includes(`<html lang="${locale}">`) ? [] : ['another language']),
    ...(markup.match(/<h1[ >]/g)?.length === 1 ? [] : ['not one heading']),
    ...(/\bundefined\b|\[object |\bNaN\b|Invalid Date/.test(markup)
      ? ['a value that is none']
      : []),
    ...(markup.match(/\{[a-z]+(?:,|\})/g) ?? []).filter((text) => text !== '{x}' && text !== '{n}'),
    ...(markup.includes(hostile) || markup.includes('<svg onload') ? ['markup of others'] : []),
    ...ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `twice: ${id}`),
    ...described.filter((id) => !ids.includes(id)).map((id) => `describes nothing: ${id}`),
    ...forms
      .filter((form) => !form.includes(`name="csrf" value="${csrf}"`))
      .map(() => 'a form without its token'),
    ...(markup.match(/<[a-z][^<>]*\s(?:style|on[a-z]+)="/g) ?? []),
    ...errorsOfNoField(markup),
  ];
}

/** What is said to be wrong belongs to a field, which says so. */
function errorsOfNoField(markup: string): string[] {
  const wrong = (
    markup.match(/<(?:input|select|textarea)\s[^<>]*aria-invalid="true"[^<>]*>/g) ?? []
  )
    .map((tag) => /\saria-describedby="([^"]*)"/.exec(tag)?.[1]?.split(' ') ?? [])
    .flat();
  return (markup.match(/<p class="error"[^<>]*>/g) ?? [])
    .filter((tag) => !wrong.includes(/\sid="([^"]*)"/.exec(tag)?.[1] ?? ''))
    .map((tag) => `an error of no field: ${tag}`);
}
