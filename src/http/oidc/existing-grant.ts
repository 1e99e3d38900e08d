import { hash } from 'node:crypto';
import type { Configuration } from 'oidc-provider';
import type { Sql } from '#platform/database/sql.ts';
import type { Registry } from '#identity/applications/client.ts';
import { requestScopes } from './request-scope.ts';

/**
 * A grant is made for whoever may have it, without a page: by the application's own right when it
 * is ours, by the person's recorded consent when it is not. Its id follows from the session and
 * the application, so that two tabs that sign in at once make the same one.
 */
export function existingGrant(
  database: Sql,
  registry: Registry,
): NonNullable<Configuration['loadExistingGrant']> {
  return async (ctx) => {
    const { session, account, provider } = ctx.oidc;
    const clientId = ctx.oidc.client?.clientId;
    const client = clientId === undefined ? undefined : await registry.client(clientId);
    if (!session?.uid || !account || !client) return undefined;

    const id =
      session.grantIdFor(client.id) ?? hash('sha256', `${session.uid}|${client.id}`, 'base64url');
    requestScopes.getStore()?.beginsWith(session.uid, id);
    const found = await provider.Grant.find(id);
    const grant =
      found && found.accountId === account.accountId
        ? found
        : new provider.Grant({ accountId: account.accountId, clientId: client.id });
    grant.jti = id;

    const before = JSON.stringify([grant.openid, grant.resources]);
    const wanted = {
      scopes: [...ctx.oidc.requestParamOIDCScopes],
      claims: [...ctx.oidc.requestParamClaims],
      resources: Object.entries(ctx.oidc.resourceServers ?? {}).map(
        ([indicator, server]) =>
          [
            indicator,
            [...ctx.oidc.requestParamScopes].filter((one) => server.scopes.has(one)),
          ] as const,
      ),
    };
    const given = client.firstParty
      ? wanted
      : await consented(database, account.accountId, client.id, wanted);
    if (given.scopes.length > 0) grant.addOIDCScope(given.scopes.join(' '));
    if (given.claims.length > 0) grant.addOIDCClaims(given.claims);
    for (const [indicator, scopes] of given.resources)
      if (scopes.length > 0) grant.addResourceScope(indicator, scopes.join(' '));

    if (
      found !== grant &&
      given.scopes.length === 0 &&
      given.resources.every(([, s]) => s.length === 0)
    )
      return undefined;
    if (found !== grant || JSON.stringify([grant.openid, grant.resources]) !== before)
      await grant.save();
    return grant;
  };
}

interface Wanted {
  scopes: string[];
  claims: string[];
  resources: readonly (readonly [string, string[]])[];
}

/** Of what is wanted, what the person consented to. */
async function consented(
  sql: Sql,
  userId: string,
  clientId: string,
  wanted: Wanted,
): Promise<Wanted> {
  const [row] = await sql.query<{
    scopes: string[];
    claims: string[];
    resources: Record<string, string[]>;
  }>('select scopes, claims, resources from consents where user_id = $1 and client_id = $2', [
    userId,
    clientId,
  ]);
  if (!row) return { scopes: [], claims: [], resources: [] };
  return {
    scopes: wanted.scopes.filter((scope) => row.scopes.includes(scope)),
    claims: wanted.claims.filter((claim) => row.claims.includes(claim)),
    resources: wanted.resources.map(
      ([indicator, scopes]) =>
        [indicator, scopes.filter((scope) => row.resources[indicator]?.includes(scope))] as const,
    ),
  };
}
