import type { Context } from 'koa';
import type { PasswordDependencies } from '#identity/credentials/check-password.ts';
import type { UpstreamAssertion } from '#identity/federation/assertion.ts';
import type { Attempt } from '#identity/federation/attempt.ts';
import type { Connection, ConnectionKind } from '#identity/federation/connection.ts';
import { mapAssertion, type MappedPerson } from '#identity/federation/mapping.ts';
import type { UpstreamProtocol } from '#identity/federation/upstream.ts';
import type { Foundation } from '#identity/work.ts';
import type { Csrf } from '../csrf.ts';
import type { Interaction, Interactions } from '../interactions.ts';
import type { Sessions } from '../sessions.ts';
import type { OidcUpstream } from './oidc.ts';
import type { SamlUpstream } from './saml.ts';

export interface FederationDoorDependencies {
  foundation: Foundation;
  interactions: Interactions;
  csrf: Csrf;
  sessions: Pick<Sessions, 'signIn'>;
  oidc: OidcUpstream;
  saml: SamlUpstream;
  passwords: PasswordDependencies;
  /** Key of the recovery codes: see `AppSecrets`. */
  recoveryKey: Buffer;
  /** What a sign-in says in `acr` where the provider says nothing. */
  acr: string;
  /** Seconds for which a provider's word is good. */
  ceiling: number;
}

/** What the steps of the way there and back share. */
export interface Way extends FederationDoorDependencies {
  protocol(connection: Pick<Connection, 'kind'>): UpstreamProtocol;
}

export function wayOf(dependencies: FederationDoorDependencies): Way {
  const protocols: Record<ConnectionKind, UpstreamProtocol> = {
    oidc: dependencies.oidc,
    saml: dependencies.saml,
  };
  return { ...dependencies, protocol: ({ kind }) => protocols[kind] };
}

/** The parameters of the address; the routes name them. */
export function paramsOf(ctx: Context): Record<string, string> {
  return (ctx as Context & { params: Record<string, string> }).params;
}

/** The page of an attempt that waits for its person: what came from the provider is not in it. */
export function addressOf({ uid }: Pick<Interaction, 'uid'>, { realm, id }: Attempt): string {
  return `/sign-in/${uid}/federated/${realm.connection.id}/${id}`;
}

export function mappedOf(
  { realm: { connection } }: Attempt,
  assertion: UpstreamAssertion,
): MappedPerson {
  return mapAssertion(connection.kind, connection.mapping, assertion);
}
