import { ScimError } from '#identity/scim/error.ts';
import type { ScimAnswer } from './answer.ts';
import type { ScimRequest, Tools } from './door.ts';

export async function bulk(_request: ScimRequest, _tools: Tools): Promise<ScimAnswer> {
  throw new ScimError(501, 'Not yet.');
}
