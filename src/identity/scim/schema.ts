import {
  attribute,
  text,
  flag,
  moment,
  group,
  values,
  placed,
  readOnly,
  type Attribute,
  type Place,
  type ResourceType,
} from './attribute.ts';

/**
 * The attribute table: what RFC 7643, section 7, says of each attribute, and where it is kept. Bodies,
 * answers, filters, sorting, PATCH and `/Schemas` read it, and nothing else.
 */

/**
 * What stands in an index is not as long as any text: PostgreSQL takes 2,704 bytes for all columns of an
 * entry. Directories have 256 characters at most for a name (Active Directory: `displayName`).
 */
const longestName = 256;
const longestKey = 512;

/** An address of ours. */
const made: Place = {};

/** Attributes of every resource (RFC 7643, section 3.1). */
function common(
  alias: 'a' | 'g',
  created: string,
  modified: string,
  resourceType: string,
  schemas: string,
): Attribute[] {
  return [
    text('schemas', 'What it is described by. It follows from what there is.', {
      ...readOnly,
      multiValued: true,
      required: true,
      returned: 'always',
      common: true,
      place: { value: 'e.value', rows: { ofOne: `from unnest(${schemas}) e(value) where true` } },
    }),
    text('id', 'Ours, and never given to another.', {
      ...readOnly,
      caseExact: true,
      returned: 'always',
      uniqueness: 'server',
      common: true,
      place: { value: `${alias}.id::text`, uuid: `${alias}.id` },
    }),
    text('externalId', "The directory's own name for it.", {
      caseExact: true,
      common: true,
      longest: longestKey,
      place: { value: `${alias}.external_id` },
    }),
    group(
      'meta',
      'About the resource.',
      [
        text('resourceType', 'What it is.', {
          ...readOnly,
          caseExact: true,
          place: { value: `'${resourceType}'::text` },
        }),
        moment('created', 'When it came to be.', { place: { value: created, sortable: true } }),
        moment('lastModified', 'When it was changed last.', {
          place: { value: modified, sortable: true },
        }),
        attribute('location', 'reference', {
          ...readOnly,
          caseExact: true,
          description: 'Where it is.',
          referenceTypes: ['uri'],
          place: made,
        }),
        text('version', 'Its ETag.', {
          ...readOnly,
          caseExact: true,
          place: { value: `'W/"' || ${alias}.version || '"'` },
        }),
      ],
      { ...readOnly, common: true },
    ),
  ];
}

export const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User';

export const groupSchema = 'urn:ietf:params:scim:schemas:core:2.0:Group';

export const enterpriseSchema = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

export const accountSchema = 'urn:ostiary:params:scim:schemas:extension:account:1.0:User';

export const accountGroupSchema = 'urn:ostiary:params:scim:schemas:extension:account:1.0:Group';

const emails = values('emails', 'Addresses. Nobody signs in by one of these: see userName.', {
  value: text('value', 'The address.', {
    required: true,
    place: { value: 'e.value', key: 'e.value_key', address: true },
  }),
  types: ['work', 'home', 'other'],
  place: {
    rows: {
      ofOne: 'from affiliation_emails e where e.affiliation_id = a.id',
      ofAll: {
        from: 'from affiliation_emails e where e.account_id = $1',
        id: 'e.affiliation_id',
        indexed: ['value'],
      },
    },
  },
});

const userAttributes: Attribute[] = [
  text('userName', 'The address the person signs in with, in a domain of the account.', {
    required: true,
    uniqueness: 'server',
    place: { value: 'a.user_name', key: 'a.user_name_key', address: true, sortable: true },
  }),
  group('name', 'The name in its parts.', [
    text('formatted', 'The whole name, as it is shown.'),
    text('familyName', 'Family name.', {
      longest: longestName,
      place: { value: "nullif(a.family_name, '')", key: 'a.family_name_key', sortable: true },
    }),
    text('givenName', 'Given name.', {
      longest: longestName,
      place: { value: "nullif(a.given_name, '')" },
    }),
    text('middleName', 'Middle names.'),
    text('honorificPrefix', 'Title before the name.'),
    text('honorificSuffix', 'Title behind the name.'),
  ]),
  text('displayName', 'The name to be shown.', {
    longest: longestName,
    place: { value: 'a.display_name', key: 'a.display_name_key', sortable: true },
  }),
  text('nickName', 'How the person is called.'),
  attribute('profileUrl', 'reference', {
    description: 'A page about the person.',
    referenceTypes: ['external'],
  }),
  text('title', 'Job title.', { place: { value: 'u.job_title' } }),
  text('userType', 'How the person stands to the organization.'),
  text('preferredLanguage', 'The language of the pages and mails, such as en-US.', {
    place: { value: "coalesce(a.attributes ->> 'preferredLanguage', u.language)" },
  }),
  text('locale', 'Whose customs numbers and dates follow, such as en-US.'),
  text('timezone', 'Time zone, such as Europe/Berlin.'),
  flag('active', 'Whether the directory lets the person in. Other locks are no business of this.', {
    place: { value: 'a.active' },
  }),
  text('password', 'Set, never shown.', {
    mutability: 'writeOnly',
    returned: 'never',
    caseExact: true,
  }),
  emails,
  values('phoneNumbers', 'Telephone numbers, as they were sent.', {
    types: ['work', 'home', 'mobile', 'fax', 'pager', 'other'],
  }),
  values('ims', 'Instant messaging addresses.'),
  values('photos', 'Pictures.', {
    value: attribute('value', 'reference', {
      description: 'Where the picture is.',
      referenceTypes: ['external'],
    }),
    types: ['photo', 'thumbnail'],
  }),
  group(
    'addresses',
    'Postal addresses.',
    [
      text('formatted', 'The whole address.'),
      text('streetAddress', 'Street and number.'),
      text('locality', 'City.'),
      text('region', 'State or region.'),
      text('postalCode', 'Postal code.'),
      text('country', 'Country, as its two letters of ISO 3166-1.'),
      text('type', 'What it is for.', { canonicalValues: ['work', 'home', 'other'] }),
      flag('primary', 'Whether it is the first to be used. One value at most is.'),
    ],
    { multiValued: true },
  ),
  group(
    'groups',
    'The groups the person is in. They are changed at the group.',
    [
      text('value', 'The id of the group.', {
        ...readOnly,
        caseExact: true,
        place: { value: 'e.id::text', uuid: 'e.id' },
      }),
      attribute('$ref', 'reference', {
        ...readOnly,
        caseExact: true,
        description: 'Where the group is.',
        referenceTypes: ['Group'],
        place: made,
      }),
      text('display', 'Its name.', { ...readOnly, place: { value: 'e.name', key: 'e.name_key' } }),
      text('type', 'Always direct: groups hold people.', {
        ...readOnly,
        canonicalValues: ['direct'],
        place: { value: "'direct'::text" },
      }),
    ],
    {
      ...readOnly,
      multiValued: true,
      place: {
        rows: {
          ofOne: `from group_members m join groups e on e.id = m.group_id
            where m.user_id = a.user_id and e.account_id = a.account_id`,
        },
      },
    },
  ),
  values(
    'entitlements',
    'What the directory says the person is entitled to. Gives no rights here.',
  ),
  values('roles', 'What the directory says the person is. Gives no rights here.'),
  values('x509Certificates', 'Certificates.', {
    value: attribute('value', 'binary', { description: 'DER, in base64.', caseExact: true }),
  }),
];

const enterpriseAttributes: Attribute[] = [
  text('employeeNumber', 'Number of the employee.'),
  text('costCenter', 'Cost center.'),
  text('organization', 'Organization.'),
  text('division', 'Division.'),
  text('department', 'Department.'),
  group('manager', 'Who leads the person: another user of the account.', [
    text('value', 'Their id.', {
      caseExact: true,
      place: { value: 'a.manager_id::text', uuid: 'a.manager_id' },
    }),
    attribute('$ref', 'reference', {
      ...readOnly,
      caseExact: true,
      description: 'Where they are.',
      referenceTypes: ['User'],
      place: made,
    }),
    text('displayName', 'Their name.', {
      ...readOnly,
      place: {
        value:
          'case when a.manager_id is not null then (select coalesce(l.display_name, ' +
          "nullif(trim(l.given_name || ' ' || l.family_name), ''), l.user_name) " +
          'from affiliations l where l.id = a.manager_id) end',
      },
    }),
  ]),
];

const openLocks = `from user_locks e where e.user_id = a.user_id and e.released_at is null`;

const accountAttributes: Attribute[] = [
  text('affiliation', 'Whether the person belongs to the account, or is invited to.', {
    ...readOnly,
    canonicalValues: ['member', 'invited'],
    place: { value: "case when a.provisional then 'invited' else 'member' end" },
  }),
  text('lockState', 'Whether the person may sign in, as far as locks go.', {
    ...readOnly,
    canonicalValues: ['open', 'locked'],
    place: { value: `case when exists (select ${openLocks}) then 'locked' else 'open' end` },
  }),
  text('lockReasons', 'Why the person is locked. The directory lifts its own lock alone.', {
    ...readOnly,
    multiValued: true,
    place: { rows: { ofOne: openLocks }, value: 'e.reason' },
  }),
  moment('lastLogin', 'When the person signed in last.', {
    place: { value: "date_trunc('milliseconds', u.last_login_at)" },
  }),
  flag('emailVerified', 'Whether the address is proved.', {
    ...readOnly,
    place: { value: '(u.email_verified_at is not null)' },
  }),
  moment('termsAcceptedAt', 'When the person accepted terms of service last.', {
    place: {
      value: `(select date_trunc('milliseconds', max(t.accepted_at))
        from terms_acceptances t where t.user_id = a.user_id)`,
    },
  }),
  text('managedBy', 'Who says who this is.', {
    ...readOnly,
    canonicalValues: ['directory', 'identity_provider', 'administrator'],
    place: {
      value: `case u.source when 'scim' then 'directory' when 'jit' then 'identity_provider'
        else 'administrator' end`,
    },
  }),
  text(
    'entitlementCountry',
    'Where the person is entitled to products: two letters of ISO 3166-1.',
    {
      place: { value: 'u.entitlement_country' },
    },
  ),
  flag('isSoftDeleted', 'Another word for what is not active.', {
    returned: 'request',
    place: { value: '(not a.active)' },
  }),
];

const groupAttributes: Attribute[] = [
  text('displayName', 'The name of the group, unique in the account.', {
    required: true,
    uniqueness: 'server',
    longest: longestName,
    place: { value: 'g.name', key: 'g.name_key', sortable: true },
  }),
  group(
    'members',
    'Who is in it: users. Groups hold no groups.',
    [
      text('value', 'The id of the user.', {
        required: true,
        mutability: 'immutable',
        caseExact: true,
        place: { value: 'e.id::text', uuid: 'e.id' },
      }),
      attribute('$ref', 'reference', {
        mutability: 'immutable',
        caseExact: true,
        description: 'Where the user is.',
        referenceTypes: ['User'],
        place: made,
      }),
      text('display', 'Their name.', {
        ...readOnly,
        place: {
          value:
            "coalesce(e.display_name, nullif(trim(e.given_name || ' ' || e.family_name), ''), e.user_name)",
        },
      }),
      text('type', 'Always User.', {
        mutability: 'immutable',
        canonicalValues: ['User'],
        place: { value: "'User'::text" },
      }),
    ],
    {
      multiValued: true,
      place: {
        rows: {
          ofOne: `from group_members m join affiliations e on e.user_id = m.user_id
            and e.ended_at is null and e.account_id = g.account_id where m.group_id = g.id`,
          ofAll: {
            from: `from affiliations e join group_members m on m.user_id = e.user_id
              where e.account_id = $1 and e.ended_at is null`,
            id: 'm.group_id',
            indexed: ['value'],
          },
        },
      },
    },
  ),
];

const groupAccountAttributes: Attribute[] = [
  text('description', 'What the group is for.', { place: { value: "nullif(g.description, '')" } }),
  text('type', 'Products are granted to entitlement groups.', {
    ...readOnly,
    canonicalValues: ['standard', 'entitlement'],
    place: { value: 'g.type' },
  }),
  text('managedBy', 'Who says who is in it.', {
    ...readOnly,
    canonicalValues: ['directory', 'identity_provider', 'administrator'],
    place: {
      value: `case g.source when 'scim' then 'directory' when 'idp' then 'identity_provider'
        else 'administrator' end`,
    },
  }),
];

/** A resource type with the attributes of every resource before its own. */
function resourceType(
  parts: Omit<ResourceType, 'attributes'>,
  shared: readonly Attribute[],
): ResourceType {
  return { ...parts, attributes: [...shared, ...parts.schema.attributes] };
}

export const users = resourceType(
  {
    name: 'User',
    endpoint: '/Users',
    description: 'People of the account',
    schema: {
      id: userSchema,
      name: 'User',
      description: 'A person',
      attributes: placed(userAttributes),
    },
    extensions: [
      {
        key: 'enterprise',
        aliases: [],
        schema: {
          id: enterpriseSchema,
          name: 'EnterpriseUser',
          description: 'A person in an enterprise',
          attributes: placed(enterpriseAttributes, ['enterprise']),
        },
      },
      {
        key: 'account',
        aliases: ['urn:ietf:params:scim:schemas:extension:Bentley:2.0:User'],
        schema: {
          id: accountSchema,
          name: 'AccountUser',
          description: 'What an account and this installation know of a person',
          attributes: placed(accountAttributes, ['account']),
        },
      },
    ],
  },
  common(
    'a',
    'a.began_at',
    'a.modified_at',
    'User',
    `array['${userSchema}', '${accountSchema}'] ||
      case when a.manager_id is not null or a.attributes -> 'enterprise' is not null
        then array['${enterpriseSchema}'] end`,
  ),
);

export const groups = resourceType(
  {
    name: 'Group',
    endpoint: '/Groups',
    description: 'Groups of people of the account',
    schema: {
      id: groupSchema,
      name: 'Group',
      description: 'A group of people',
      attributes: placed(groupAttributes),
    },
    extensions: [
      {
        key: 'account',
        aliases: ['urn:ietf:params:scim:schemas:extension:Bentley:2.0:Group'],
        schema: {
          id: accountGroupSchema,
          name: 'AccountGroup',
          description: 'What an account knows of a group',
          attributes: placed(groupAccountAttributes, ['account']),
        },
      },
    ],
  },
  common(
    'g',
    'g.created_at',
    'g.updated_at',
    'Group',
    `array['${groupSchema}', '${accountGroupSchema}']`,
  ),
);

export const resourceTypes: readonly ResourceType[] = [users, groups];

/** The attribute of this name, in any letter case (RFC 7643, section 2.1). */
export function named(attributes: readonly Attribute[], name: string): Attribute | undefined {
  const wanted = name.toLowerCase();
  return attributes.find((one) => one.name.toLowerCase() === wanted);
}

/** What a value of these stands for where only the attribute is named: `emails` is `emails.value`. */
export function valueOf(attribute: Attribute): Attribute | undefined {
  return attribute.subAttributes && named(attribute.subAttributes, 'value');
}
