/** What is measured, against what, and how much of it is to be reached (performance.md section 3). */
export interface Scenario {
  title: string;
  flow: string;
  baseline: 'stock' | 'raw' | 'hashes' | 'one process' | 'floor' | 'ourselves' | 'ten thousand';
  /**
   * Who is measured, where it is not us: the engine in memory, with our signing and our cookies. It does
   * for nothing what we ask the database for, so it says how far anybody comes who builds on it.
   */
  measured?: 'engine';
  /** What the baseline does, where it is something else. */
  baselineFlow?: string;
  /** How many operations of the baseline one of ours is. */
  worth?: number;
  /** Our throughput divided by the baseline's; or, by `p50`, its time divided by ours. */
  reach: number;
  by?: 'p50';
  /** At most so many clients of ours, where more would only wait for one another. */
  clients?: number;
  hashing?: boolean;
}

/** A million people against ten thousand: `--people 1000000`, where there are more than that. */
const million = (title: string, flow: string, reach = 1 / 1.2): Scenario => ({
  title: `${title}, all people`,
  flow,
  baseline: 'ten thousand',
  reach,
  by: 'p50',
});

export const scenarios: Record<string, Scenario> = {
  code: { title: 'silent code flow', flow: 'code', baseline: 'stock', reach: 1.2 },
  code_engine: {
    title: 'silent flow, engine alone',
    flow: 'code',
    baseline: 'stock',
    measured: 'engine',
    reach: 1.2,
  },
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
  federated_sign_in: {
    title: 'federated sign-in',
    flow: 'federated_sign_in',
    baseline: 'ourselves',
    baselineFlow: 'sign_in',
    reach: 0.5,
  },
  two_processes: {
    title: 'two processes, silent flow',
    flow: 'code',
    baseline: 'one process',
    reach: 1.7,
  },
  scim_create: { title: 'SCIM create', flow: 'scim_create', baseline: 'floor', reach: 0.5 },
  scim_get: { title: 'SCIM get', flow: 'scim_get', baseline: 'floor', reach: 0.7 },
  scim_eq: { title: 'SCIM userName eq', flow: 'scim_eq', baseline: 'floor', reach: 0.7 },
  scim_patch: { title: 'SCIM PATCH', flow: 'scim_patch', baseline: 'floor', reach: 0.7 },
  scim_list: { title: 'SCIM list of 100', flow: 'scim_list', baseline: 'floor', reach: 0.7 },
  scim_sw: { title: 'SCIM userName sw', flow: 'scim_sw', baseline: 'floor', reach: 0.7 },
  scim_co: { title: 'SCIM userName co', flow: 'scim_co', baseline: 'floor', reach: 0.7 },
  scim_cursor: { title: 'SCIM next page', flow: 'scim_cursor', baseline: 'floor', reach: 0.7 },
  scim_group_1: {
    title: 'SCIM group PATCH, 1',
    flow: 'scim_group_1',
    baseline: 'floor',
    reach: 0.5,
  },
  scim_group_1000: {
    title: 'SCIM group PATCH, 1000',
    flow: 'scim_group_1000',
    baseline: 'floor',
    reach: 0.5,
  },
  scim_bulk: {
    title: 'SCIM Bulk of 1000 creates',
    flow: 'scim_bulk',
    baseline: 'ourselves',
    baselineFlow: 'scim_create',
    worth: 1000,
    clients: 2,
    reach: 3,
  },
  scim_group_full: {
    title: 'SCIM group PATCH, 10000 in it',
    flow: 'scim_group_full',
    baseline: 'ourselves',
    baselineFlow: 'scim_group_1',
    reach: 1 / 1.2,
    by: 'p50',
  },
  // Ten thousand people are two hundred pages of the list.
  console_export: {
    title: 'console, all people as a file',
    flow: 'console_export',
    baseline: 'ourselves',
    baselineFlow: 'console_people',
    worth: 200,
    reach: 3,
  },
  scale_create: million('SCIM create', 'scim_create'),
  scale_get: million('SCIM get', 'scim_get'),
  scale_eq: million('SCIM userName eq', 'scim_eq'),
  scale_patch: million('SCIM PATCH', 'scim_patch'),
  scale_cursor: million('SCIM next page', 'scim_cursor'),
  scale_sw: million('SCIM userName sw', 'scim_sw'),
  scale_co: million('SCIM userName co', 'scim_co', 1 / 3),
  scale_console: million('console, people', 'console_people'),
};
