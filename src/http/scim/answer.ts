import type { Context } from 'koa';
import type { Listed, ListRequest } from '#identity/scim/list.ts';
import { represent, projection, type Wanted } from '#identity/scim/projection.ts';
import { mostListed } from '#identity/scim/recorder.ts';
import type { ResourceType } from '#identity/scim/attribute.ts';
import type { Resource } from '#identity/scim/value.ts';

export const listSchema = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';

/** What is answered: the same for a request of its own and for an operation of a Bulk request. */
export interface ScimAnswer {
  status: number;
  headers?: Record<string, string>;
  body?: Record<string, unknown>;
  /** The body as it is sent, where it was made as text; `body` then holds the first of its resources. */
  text?: string;
}

export function versionOf(resource: Resource): string {
  return String((resource['meta'] as Record<string, unknown>)['version']);
}

/** A resource with its ETag and where it is; without itself where nobody asked, or it is known. */
export function resourceAnswer(
  type: ResourceType,
  resource: Resource,
  { status = 200, wanted, base }: { status?: number; wanted: Wanted; base: string },
): ScimAnswer {
  return {
    status,
    headers: {
      ETag: versionOf(resource),
      ...(status === 201 && { Location: locationOf(type, resource, base) }),
      ...(status !== 204 && { 'Content-Location': locationOf(type, resource, base) }),
    },
    ...(status !== 204 &&
      status !== 304 && {
        body: represent(type, resource, projection(type, wanted), base),
      }),
  };
}

export function locationOf({ endpoint }: ResourceType, resource: Resource, base: string): string {
  return `${base}${endpoint}/${String(resource['id'])}`;
}

export function listAnswer(listed: Listed, request: ListRequest, base: string): ScimAnswer {
  const { texts } = listed;
  const frame = {
    schemas: [listSchema],
    totalResults: listed.total,
    itemsPerPage: (texts ?? listed.resources).length,
    ...(request.cursor === undefined && { startIndex: listed.startIndex }),
    ...(listed.nextCursor !== undefined && { nextCursor: listed.nextCursor }),
  };
  if (texts)
    return {
      status: 200,
      text: `${JSON.stringify(frame).slice(0, -1)},"Resources":[${texts.join(',')}]}`,
      body: {
        ...frame,
        Resources: texts.slice(0, mostListed).map((one) => JSON.parse(one) as unknown),
      },
    };
  const resources = listed.resources.map(({ type, resource, shown }) =>
    represent(type, resource, shown, base),
  );
  return { status: 200, body: { ...frame, Resources: resources } };
}

export function send(ctx: Context, { status, headers = {}, body, text }: ScimAnswer): void {
  ctx.status = status;
  ctx.set('Cache-Control', 'no-store');
  ctx.set(headers);
  if (body === undefined) {
    ctx.body = null;
    ctx.status = status;
    return;
  }
  ctx.body = text ?? JSON.stringify(body);
  ctx.type = 'application/scim+json';
}
