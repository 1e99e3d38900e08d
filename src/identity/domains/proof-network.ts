import { dnsResolvers } from '#platform/dns/resolver.ts';
import { egress, type EgressAllowance } from '#platform/egress.ts';
import type { ProofNetwork } from './look-for-proof.ts';

/**
 * The network as this installation reaches it: the resolvers of DNS_SERVERS say where a name is, for
 * its web server too, so that both proofs see one world.
 */
export function proofNetwork(servers: readonly string[], allowance: EgressAllowance): ProofNetwork {
  const resolvers = dnsResolvers(servers);
  return {
    resolvers: () => (servers.length > 0 ? resolvers : dnsResolvers([])),
    egress: egress(allowance, async (host) => {
      for (const resolver of servers.length > 0 ? resolvers : dnsResolvers([])) {
        const answer = await resolver.addresses(host);
        if (answer.kind === 'found') return answer.values;
      }
      return [];
    }),
  };
}
