import type { Domain, ProofMethod } from './domain.ts';

/** What is to be published, spelled out: an administrator hands it to whoever runs DNS. */
export type ProofRecord =
  | { type: 'TXT'; name: string; alternativeName: string; value: string }
  | { type: 'HTTPS'; url: string; value: string }
  | { type: 'MAIL'; mailboxes: string[] };

/** The mailboxes that stand for a domain (RFC 2142, and what certificate authorities write to). */
export const roleMailboxes = ['admin', 'administrator', 'hostmaster', 'postmaster', 'webmaster'];

export function proofValue(challenge: string): string {
  return `ostiary-domain-verification=${challenge}`;
}

/** Where the text record may stand: at a name of its own, or at the domain itself. */
export function proofNames(domain: string): [string, string] {
  return [`_ostiary-challenge.${domain}`, domain];
}

export function proofPath(): string {
  return '/.well-known/ostiary-domain-verification.txt';
}

/** Null where there is nothing to publish, as where an operator vouched for the domain. */
export function proofRecord(
  { name, challenge, proofMailbox }: Pick<Domain, 'name' | 'challenge' | 'proofMailbox'>,
  method: ProofMethod | null,
): ProofRecord | null {
  if (method === 'email')
    return { type: 'MAIL', mailboxes: proofMailbox?.split(',').filter(Boolean) ?? [] };
  if (challenge === null || method === null) return null;
  const value = proofValue(challenge);
  if (method === 'https') return { type: 'HTTPS', url: `https://${name}${proofPath()}`, value };
  const [own, apex] = proofNames(name);
  return { type: 'TXT', name: own, alternativeName: apex, value };
}
