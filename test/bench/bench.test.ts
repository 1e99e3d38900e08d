import { describe, expect, inject, it } from 'vitest';
import { runBench } from './bench.ts';
import { report } from './report.ts';

describe('the bench', () => {
  it('measures us and the baseline, and leaves nothing behind', { timeout: 120_000 }, async () => {
    const results = await runBench({
      only: ['discovery', 'userinfo', 'saml_hostile'],
      rounds: 1,
      seconds: 0.4,
      clients: 2,
      people: 10,
      url: inject('templateUrl'),
      template: inject('templateFile'),
    });

    // What it measured is not looked at: a test must not depend on how busy the machine is.
    const figures = {
      perSecond: expect.any(Number),
      cpuServer: expect.any(Number),
      cpuLoad: expect.any(Number),
      statementsPerRequest: expect.any(Number),
      p50: expect.any(Number),
      p99: expect.any(Number),
      memory: expect.any(Number),
    };
    expect(results.rows).toMatchObject([
      { name: 'userinfo', baseline: 'stock', ours: figures, theirs: figures, reach: 0.7 },
      { name: 'discovery', baseline: 'raw', ours: figures, theirs: figures, reach: 0.7 },
    ]);
    expect(results.rows.every(({ ours }) => ours.perSecond > 0)).toBe(true);
    expect(results.rows[0]!.ours.statementsPerRequest).toBeGreaterThan(0.5);
    expect(report(results)).toMatch(/userinfo .* >= 0\.7 /);
    const moments = { p50: expect.any(Number), p99: expect.any(Number) };
    expect(results.besideSaml?.beside).toEqual({
      nothing: moments,
      saml_small: moments,
      saml_siblings: moments,
      saml_attributes: moments,
    });
    expect(results.besideSaml?.ratio.saml_siblings).toBeGreaterThan(0);
    expect(report(results)).toMatch(/84 KB of 16,000 elements .* times the p99 beside small ones/);
    expect(() => JSON.stringify(results)).not.toThrow();
  });
});
