import { parse } from 'tldts';

/**
 * Which domain decides about an address: the one function for every door (behaviour.md 3.2). Its own,
 * where somebody owns that; else the nearest above it whose owner took what is below along. A name
 * that matches only because it ends alike is another name, and no public suffix is crossed.
 */
export function namesAbove(domain: string): string[] {
  const { domain: registrable } = parse(domain, { allowPrivateDomains: true });
  const names = [domain];
  if (registrable === null || !domain.endsWith(`.${registrable}`)) return names;
  for (let name = domain; name !== registrable;) {
    name = name.slice(name.indexOf('.') + 1);
    names.push(name);
  }
  return names;
}

/** The row of that domain, in SQL. @param names the place of `namesAbove`. */
export function owningDomain(names: string): string {
  return `
    select d.* from domains d
    where d.name = any (${names}::text[]) and d.state in ('owned', 'at_risk', 'lapsed')
      and (d.name = (${names}::text[])[1] or d.include_subdomains)
    order by length(d.name) desc limit 1`;
}
