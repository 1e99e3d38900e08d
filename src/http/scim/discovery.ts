import { cursorSeconds } from '#identity/scim/cursor.ts';
import type { Attribute, ResourceType, Schema } from '#identity/scim/attribute.ts';
import { resourceTypes } from '#identity/scim/schema.ts';
import type { ScimCaller } from '#identity/scim/caller.ts';
import { bulkLimits } from './limits.ts';
import { listSchema } from './answer.ts';
import { defaultPageSize, maxPageSize } from './parameters.ts';

const core = 'urn:ietf:params:scim:schemas:core:2.0';

/** What is done here, and no more than that (RFC 7643, section 5; RFC 9865, section 4). */
export function serviceProviderConfig(
  base: string,
  { classicConfig }: ScimCaller,
  { changePassword }: { changePassword: boolean },
): Record<string, unknown> {
  return {
    schemas: [`${core}:ServiceProviderConfig`],
    documentationUri: new URL('/api/docs', base).href,
    patch: { supported: true },
    bulk: {
      supported: true,
      maxOperations: bulkLimits.operations,
      maxPayloadSize: bulkLimits.bytes,
    },
    filter: { supported: true, maxResults: maxPageSize },
    changePassword: { supported: changePassword },
    sort: { supported: true },
    etag: { supported: true },
    // Strict clients of RFC 7643 stumble over what came later.
    ...(!classicConfig && {
      pagination: {
        cursor: true,
        index: true,
        defaultPaginationMethod: 'index',
        defaultPageSize,
        maxPageSize,
        cursorTimeout: cursorSeconds,
      },
    }),
    authenticationSchemes: [
      {
        type: 'oauthbearertoken',
        name: 'Bearer token',
        description: "A token of the account's, made by its administrators.",
        specUri: 'https://www.rfc-editor.org/rfc/rfc6750',
        primary: true,
      },
      {
        type: 'oauth2',
        name: 'OAuth 2.0 client credentials',
        description: 'An access token with scope scim, of a client that speaks for the directory.',
        specUri: 'https://www.rfc-editor.org/rfc/rfc6749',
        primary: false,
      },
    ],
    meta: {
      resourceType: 'ServiceProviderConfig',
      location: `${base}/ServiceProviderConfig`,
    },
  };
}

/** RFC 7643, section 6. */
export function resourceTypeDocument(
  { name, endpoint, description, schema, extensions }: ResourceType,
  base: string,
): Record<string, unknown> {
  return {
    schemas: [`${core}:ResourceType`],
    id: name,
    name,
    endpoint,
    description,
    schema: schema.id,
    schemaExtensions: extensions.map((one) => ({ schema: one.schema.id, required: false })),
    meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/${name}` },
  };
}

/** RFC 7643, section 7. */
export function schemaDocument(
  { id, name, description, attributes }: Schema,
  base: string,
): Record<string, unknown> {
  return {
    schemas: [`${core}:Schema`],
    id,
    name,
    description,
    attributes: attributes.map(attributeDocument),
    meta: { resourceType: 'Schema', location: `${base}/Schemas/${id}` },
  };
}

function attributeDocument(attribute: Attribute): Record<string, unknown> {
  const { name, type, multiValued, description, required, canonicalValues, caseExact } = attribute;
  const { mutability, returned, uniqueness, referenceTypes, subAttributes } = attribute;
  return {
    name,
    type,
    multiValued,
    description,
    required,
    ...(type !== 'complex' && type !== 'boolean' && { caseExact }),
    ...(canonicalValues && { canonicalValues }),
    mutability,
    returned,
    uniqueness,
    ...(referenceTypes && { referenceTypes }),
    ...(subAttributes && { subAttributes: subAttributes.map(attributeDocument) }),
  };
}

export const schemas: readonly Schema[] = resourceTypes.flatMap(({ schema, extensions }) => [
  schema,
  ...extensions.map((one) => one.schema),
]);

export function wholeList(resources: readonly unknown[]): Record<string, unknown> {
  return {
    schemas: [listSchema],
    totalResults: resources.length,
    itemsPerPage: resources.length,
    startIndex: 1,
    Resources: resources,
  };
}
