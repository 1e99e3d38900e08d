import type { DnsResolver } from '#platform/dns/resolver.ts';
import { EgressRefused, type Egress } from '#platform/egress.ts';
import type { Domain } from './domain.ts';
import { proofNames, proofPath, proofValue } from './proof-record.ts';

/** The world outside, where proofs are published. */
export interface ProofNetwork {
  /** Each is asked. With fewer than two, it is asked twice. */
  resolvers(): readonly DnsResolver[];
  egress: Egress;
  /** Only a test has another. */
  httpsPort?: number;
}

/**
 * `found` and `missing` are said only by an answer. No answer, a broken one, or two that contradict
 * each other are `unknown`: nobody gains or loses a domain by them.
 */
export type Outcome = 'found' | 'missing' | 'unknown';

export interface Finding {
  method: 'dns' | 'https';
  outcome: Outcome;
  /** What was there instead, for whoever looks for the mistake. A few, cut short. */
  seen: string[];
  /** Who said what: a resolver's address, or `https`. */
  answers: { source: string; answer: string }[];
}

type Provable = Pick<Domain, 'name' | 'challenge'>;

/** Looks where the proof of a domain should be. Never called while a transaction is open. */
export async function lookForProof(
  network: ProofNetwork,
  domain: Provable,
  methods: readonly ('dns' | 'https')[],
): Promise<Finding[]> {
  if (domain.challenge === null) return [];
  return Promise.all(
    methods.map((method) =>
      method === 'dns' ? lookInDns(network, domain) : lookOnWeb(network, domain),
    ),
  );
}

async function lookInDns(network: ProofNetwork, domain: Provable): Promise<Finding> {
  const [first, ...others] = network.resolvers();
  if (!first)
    return {
      method: 'dns',
      outcome: 'unknown',
      seen: [],
      answers: [{ source: 'dns', answer: 'no resolver' }],
    };
  const asked = others.length > 0 ? [first, ...others] : [first, first];
  const said = await Promise.all(asked.map((resolver) => askOne(resolver, domain)));
  return {
    method: 'dns',
    outcome: agreed(said.map(({ outcome }) => outcome)),
    seen: [...new Set(said.flatMap(({ seen }) => seen))].slice(0, 5),
    answers: said.map(({ answer }, index) => ({ source: asked[index]!.server, answer })),
  };
}

/**
 * What all of them say together: two at least have to answer, and those that do must agree. One
 * resolver that was lied to, or has not heard of a change yet, decides nothing.
 */
export function agreed(outcomes: readonly Outcome[]): Outcome {
  const answers = outcomes.filter((outcome) => outcome !== 'unknown');
  if (answers.length < 2) return 'unknown';
  return answers.every((outcome) => outcome === answers[0]) ? answers[0]! : 'unknown';
}

async function askOne(
  resolver: DnsResolver,
  { name, challenge }: Provable,
): Promise<{ outcome: Outcome; seen: string[]; answer: string }> {
  const answers = await Promise.all(proofNames(name).map((place) => resolver.txt(place)));
  const texts = answers.flatMap((one) => (one.kind === 'found' ? one.values : []));
  // The value and nothing else: no part of a longer text, and no other way of writing it.
  if (texts.includes(proofValue(challenge!)))
    return { outcome: 'found', seen: [], answer: 'found' };
  const seen = texts.filter((text) => text.startsWith(proofValue(''))).map((text) => cut(text));
  const silent = answers.find((one) => one.kind === 'unknown');
  if (silent) return { outcome: 'unknown', seen, answer: silent.reason };
  return { outcome: 'missing', seen, answer: 'missing' };
}

async function lookOnWeb(
  { egress, httpsPort, resolvers }: ProofNetwork,
  { name, challenge }: Provable,
): Promise<Finding> {
  let url = new URL(`https://${name}${httpsPort ? `:${httpsPort}` : ''}${proofPath()}`);
  const { origin } = url;
  const finding = (outcome: Outcome, answer: string, seen: string[] = []): Finding => ({
    method: 'https',
    outcome,
    seen,
    answers: [{ source: 'https', answer }],
  });
  try {
    for (let hop = 0; hop < 3; hop += 1) {
      const { status, headers, body } = await egress.send(url, { timeoutMs: 5000, maxBytes: 4096 });
      if (status >= 300 && status < 400) {
        const next = URL.parse(headers.location ?? '', url);
        // Whoever runs another host proves nothing about this one.
        if (!next || next.origin !== origin) return finding('missing', 'leads to another host');
        url = next;
        continue;
      }
      if (status !== 200)
        return finding(status < 500 && status !== 429 ? 'missing' : 'unknown', `status ${status}`);
      const lines = body
        .toString('utf8')
        .split(/\r?\n/)
        .map((line) => line.trim());
      if (lines.includes(proofValue(challenge!))) return finding('found', 'found');
      return finding('missing', 'missing', lines.filter(Boolean).slice(0, 3).map(cut));
    }
    return finding('missing', 'redirects for ever');
  } catch (error) {
    // A name that is gone is an answer; one that nobody could tell us about is not.
    if (error instanceof EgressRefused && error.code === 'unresolved')
      return finding(await isGone(resolvers(), name), error.code);
    if (error instanceof EgressRefused)
      return finding(error.code === 'too_large' ? 'missing' : 'unknown', error.code);
    return finding('unknown', (error as { code?: string }).code ?? 'failed');
  }
}

async function isGone(resolvers: readonly DnsResolver[], name: string): Promise<Outcome> {
  const asked = resolvers.length === 1 ? [...resolvers, ...resolvers] : resolvers;
  const said = await Promise.all(asked.map((resolver) => resolver.addresses(name)));
  const gone = agreed(said.map(({ kind }) => (kind === 'none' ? 'missing' : 'unknown')));
  return gone === 'missing' ? 'missing' : 'unknown';
}

function cut(text: string): string {
  return text.slice(0, 120).toWellFormed();
}
