import { accountSchema, enterpriseSchema, userSchema, users } from './schema.ts';
import {
  accountOwn,
  emailsOf,
  groupsOfOne,
  managerOfOne,
  managers,
  named,
  own,
  userTables,
  type Parts,
} from './user-record.ts';

/** Which users, by what they are in order, and how many. */
export interface PageOf {
  /** Of `a` and `u`. */
  where: string;
  key: string;
  direction: 'asc' | 'desc';
  limit: string;
}

/**
 * A statement for a page of users: `UserRow`s, with their `sortKey` unless that is `created`. They are
 * found first; what stands in other tables about them is then read once for all, not once for each.
 */
export function userPage(parts: Parts, page: PageOf): string {
  const { groups, account } = parts;
  const columns = [
    ...Object.keys({ ...own, ...(account && accountOwn) }).map((name) => `p."${name}"`),
    `${emailsOf('p.id')} as emails`,
    `${managerOfOne('p.manager_id')} as manager`,
    ...(page.key === own.created ? [] : ['p."sortKey"']),
    ...(groups ? ['g.groups'] : []),
    ...(account ? [`coalesce(k.locks, '{}') as locks`, 't.accepted as "termsAcceptedAt"'] : []),
  ];
  return pageOf(columns.join(', '), page, parts, groupsOfOne);
}

/** A user of such a page as text: the JSON a client gets where all of a user is wanted. */
export interface UserText {
  id: string;
  sortKey: string | Date;
  text: string;
}

/**
 * A statement for a page of `UserText`s: what `represent` makes of `userResource`, put together where
 * the rows are. A hundred people are a hundred texts then, instead of three thousand values that are
 * read, made objects of, and written again.
 *
 * @param base the placeholder of where the door is, as it stands in JSON
 */
export function userTextPage(page: PageOf, base: string): string {
  const groups = `json_agg(json_build_object('value', g.id, 'display', g.name, 'type', 'direct',
      '$ref', ${base} || '/Groups/' || g.id) order by g.name_key)`;
  return pageOf(
    `p.id, p."sortKey", ${userText(base)} as text`,
    page,
    { groups: true, account: true },
    groups,
  );
}

function pageOf(
  columns: string,
  { where, key, direction, limit }: PageOf,
  { groups, account }: Parts,
  groupsOfAll: string,
): string {
  return `with page as materialized (
      select ${named({ ...own, ...(account && accountOwn) })}, a.manager_id, ${key} as "sortKey"
      from ${userTables} where ${where}
      order by ${key} ${direction}, a.id ${direction} ${limit})
    select ${columns} from page p ${groups ? joinGroups(groupsOfAll) : ''} ${account ? joinAccount : ''}
    order by p."sortKey" ${direction}, p.id ${direction}`;
}

const joinGroups = (groupsOfAll: string): string => `left join (
    select m.user_id, ${groupsOfAll} as groups
    from page q join group_members m on m.user_id = q."userId"
      join groups g on g.id = m.group_id and g.account_id = $1
    group by 1) g on g.user_id = p."userId"`;

const joinAccount = `left join (
    select o.user_id, array_agg(o.reason order by o.reason) as locks
    from page q join user_locks o on o.user_id = q."userId" and o.released_at is null
    group by 1) k on k.user_id = p."userId"
  left join (
    select c.user_id, max(c.accepted_at) as accepted
    from page q join terms_acceptances c on c.user_id = q."userId"
    group by 1) t on t.user_id = p."userId"`;

/** Nothing where there is no value. */
const optional = (name: string, value: string): string =>
  `coalesce(',"${name}":' || to_json(${value}), '')`;

const moment = (value: string): string =>
  `to_char(${value} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const userText = (base: string): string =>
  [
    `'{"schemas":["${userSchema}",' || ${headText(base)} || ',"id":"' || p.id || '"'`,
    optional('externalId', 'p."externalId"'),
    `',"meta":{"resourceType":"${users.name}","created":"' || ${moment('p.created')}
      || '","lastModified":"' || ${moment('p.modified')} || '","version":"W/\\"' || p.version
      || '\\"","location":"' || ${base} || '/Users/' || p.id || '"}'`,
    `',"userName":' || to_json(p."userName")`,
    nameText,
    optional('displayName', 'p."displayName"'),
    optional('title', `nullif(p.title, '')`),
    optional('preferredLanguage', `coalesce(p.attributes ->> 'preferredLanguage', p.language)`),
    storedText,
    `',"active":' || p.active`,
    `coalesce(',"emails":' || ${emailsOf('p.id')}, '')`,
    `coalesce(',"groups":' || g.groups, '')`,
    accountText,
    `'}'`,
  ].join('\n      || ');

/** The schemas behind the first; and the extension for enterprises, where there is one. */
const headText = (base: string): string => `
    case when p.manager_id is null and not p.attributes ? 'enterprise' then '"${accountSchema}"]'
    else (
      select case when m.enterprise is null then '"${accountSchema}"]'
        else '"${enterpriseSchema}","${accountSchema}"],"${enterpriseSchema}":' || m.enterprise::text end
      from (
        select nullif(coalesce(p.attributes -> 'enterprise', '{}') || case when m.manager is null then '{}'
          else jsonb_build_object('manager', m.manager::jsonb || jsonb_build_object(
            '$ref', ${base} || '/Users/' || (m.manager ->> 'value'))) end, '{}') as enterprise
        from (select ${managerOfOne('p.manager_id')} as manager offset 0) m
        offset 0) m)
    end`;

const nameText = `
    case when p.attributes ? 'name' then ',"name":' || ((p.attributes -> 'name')
        || jsonb_strip_nulls(jsonb_build_object('familyName', nullif(p."familyName", ''),
             'givenName', nullif(p."givenName", ''))))::text
      when p."familyName" <> '' then ',"name":{"familyName":' || to_json(p."familyName")
        || case when p."givenName" <> '' then ',"givenName":' || to_json(p."givenName") else '' end || '}'
      when p."givenName" <> '' then ',"name":{"givenName":' || to_json(p."givenName") || '}'
      else '' end`;

const otherwise = `p.attributes - '{name,enterprise,preferredLanguage}'::text[]`;

const storedText = `
    case when p.attributes = '{}' or ${otherwise} = '{}' then ''
      else ',' || substr((${otherwise})::text, 2, length((${otherwise})::text) - 2) end`;

const managedBy = `case p.source ${Object.entries(managers)
  .map(([source, manager]) => `when '${source}' then '${manager}'`)
  .join(' ')} else 'administrator' end`;

const accountText = [
  `',"${accountSchema}":{"affiliation":"' || case when p.provisional then 'invited' else 'member' end`,
  `case when k.locks is null then '","lockState":"open"'
     else '","lockState":"locked","lockReasons":' || to_json(k.locks) end`,
  optional('lastLogin', moment('p."lastLogin"')),
  `',"emailVerified":' || p."emailVerified"`,
  optional('termsAcceptedAt', moment('t.accepted')),
  `',"managedBy":"' || ${managedBy} || '"'`,
  optional('entitlementCountry', 'p."entitlementCountry"'),
  `'}'`,
].join('\n      || ');
