/** What is measured, against what, and how much of it is to be reached (performance.md section 3). */
export interface Scenario {
  title: string;
  flow: string;
  baseline: 'stock' | 'raw' | 'hashes' | 'one process';
  /** Our throughput divided by the baseline's. */
  reach: number;
  hashing?: boolean;
}

export const scenarios: Record<string, Scenario> = {
  code: { title: 'silent code flow', flow: 'code', baseline: 'stock', reach: 1.2 },
  refresh: { title: 'refresh, rotated', flow: 'refresh', baseline: 'stock', reach: 0.8 },
  client_credentials: {
    title: 'client credentials, JWT',
    flow: 'client_credentials',
    baseline: 'stock',
    reach: 0.9,
  },
  introspection: { title: 'introspection', flow: 'introspection', baseline: 'stock', reach: 0.7 },
  userinfo: { title: 'userinfo', flow: 'userinfo', baseline: 'stock', reach: 0.7 },
  discovery: { title: 'discovery', flow: 'discovery', baseline: 'raw', reach: 0.7 },
  keys: { title: 'keys', flow: 'keys', baseline: 'raw', reach: 0.7 },
  sign_in_password: {
    title: 'sign-in with password',
    flow: 'sign_in',
    baseline: 'hashes',
    reach: 0.85,
    hashing: true,
  },
  sign_in: { title: 'sign-in, hash left out', flow: 'sign_in', baseline: 'stock', reach: 0.8 },
  two_processes: {
    title: 'two processes, silent flow',
    flow: 'code',
    baseline: 'one process',
    reach: 1.7,
  },
};
