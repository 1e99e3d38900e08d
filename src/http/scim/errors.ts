import { Refusal, type RefusalCode } from '#identity/refusal.ts';
import { ScimError, type ScimType } from '#identity/scim/error.ts';
import { Problem } from '../problem.ts';

export const errorSchema = 'urn:ietf:params:scim:api:messages:2.0:Error';
/** Which rule said no, for programs (scim.md 5.8). */
export const detailSchema = 'urn:ostiary:params:scim:api:messages:1.0:ErrorDetail';

type Spoken = readonly [status: number, scimType?: ScimType, reason?: string];

/**
 * How SCIM says the refusals a directory can meet; any other is a fault of ours. Never 403 for one
 * person's sake: a directory takes that for bad credentials, and stops altogether.
 */
const spoken: Partial<Record<RefusalCode, Spoken>> = {
  invalid_email: [400, 'invalidValue', 'invalid_email'],
  invalid_domain: [400, 'invalidValue'],
  invalid_country: [400, 'invalidValue', 'invalid_country'],
  invalid_value: [400, 'invalidValue'],
  invalid_cursor: [400, 'invalidCursor'],
  weak_password: [400, 'invalidValue'],
  user_not_found: [404],
  not_found: [404],
  account_on_hold: [403, undefined, 'account_on_hold'],
  account_closed: [403, undefined, 'account_closed'],
  domain_owned_by_other: [400, 'invalidValue', 'domain_owned_elsewhere'],
  domain_pending_ownership: [400, 'invalidValue', 'domain_pending'],
  domain_not_owned: [400, 'invalidValue', 'domain_not_owned'],
  already_member: [409, 'uniqueness', 'already_member'],
  pending_approval: [409, 'uniqueness', 'pending_approval'],
  already_invited: [409, 'uniqueness', 'already_invited'],
  user_in_other_account: [409, 'uniqueness', 'user_in_other_account'],
  user_not_addable: [409, 'uniqueness', 'user_not_addable'],
  user_exists: [409, 'uniqueness'],
  user_exists_other_domain: [400, 'invalidValue', 'invitation_required'],
  already_affiliated: [409, 'uniqueness', 'user_in_other_account'],
  name_taken: [409, 'uniqueness', 'name_taken'],
  last_administrator: [409, undefined, 'last_administrator'],
  user_is_fulfillment_contact: [409, undefined, 'user_is_fulfillment_contact'],
  last_contact: [409, undefined, 'last_contact'],
  managed_by_directory: [400, 'mutability', 'managed_elsewhere'],
  permission_denied: [400, 'mutability', 'permission_denied'],
  limit_reached: [409, undefined, 'limit_reached'],
  rate_limited: [429, undefined, 'rate_limited'],
  directory_held: [429, undefined, 'directory_held'],
  version_conflict: [409, undefined, 'version_conflict'],
};

/**
 * The error as SCIM has it; undefined for what is none of what is expected.
 *
 * @param deleting a refusal has another status where there is no attribute to be wrong about
 */
export function toScimError(error: unknown, { deleting = false } = {}): ScimError | undefined {
  if (error instanceof ScimError)
    return deleting && error.scimType === 'mutability'
      ? new ScimError(409, error.message, { reason: error.reason })
      : error;
  if (error instanceof Refusal) {
    const known = spoken[error.code];
    if (!known) return undefined;
    const [status, scimType, reason] = known;
    const last = error.code === 'last_administrator' && !deleting;
    const { retryAfter } = error.details;
    return new ScimError(last ? 400 : status, error.message, {
      scimType: last ? 'mutability' : scimType,
      reason,
      headers: typeof retryAfter === 'number' ? { 'Retry-After': String(retryAfter) } : {},
    });
  }
  if (error instanceof Problem)
    return new ScimError(error.status, error.message, {
      scimType: error.status === 400 ? 'invalidSyntax' : undefined,
      headers: error.headers,
    });
  return undefined;
}

/** What is answered without what is ours in errors: strict clients know no more than RFC 7644 has. */
export function withoutDetail(body: Record<string, unknown>): Record<string, unknown> {
  const operations = body['Operations'];
  if (Array.isArray(operations))
    return {
      ...body,
      Operations: operations.map((one: Record<string, unknown>) =>
        one['response'] === undefined
          ? one
          : { ...one, response: withoutDetail(one['response'] as Record<string, unknown>) },
      ),
    };
  if (!(detailSchema in body)) return body;
  const { [detailSchema]: _detail, ...rest } = body;
  return { ...rest, schemas: [errorSchema] };
}

/** The body of an error (RFC 7644, section 3.12). */
export function errorBody({
  status,
  scimType,
  message,
  reason,
}: ScimError): Record<string, unknown> {
  return {
    schemas: reason === undefined ? [errorSchema] : [errorSchema, detailSchema],
    status: String(status),
    ...(scimType !== undefined && { scimType }),
    detail: message,
    ...(reason !== undefined && { [detailSchema]: { reason } }),
  };
}
