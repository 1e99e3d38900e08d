import type { Figures, Results } from './bench.ts';
import type { BesideFigures } from './beside-saml.ts';

/** The results as one table. */
export function report(results: Results): string {
  const { database, node, cores, options, rows, memory, saml, besideSaml } = results;
  const lines: string[][] = [
    [
      'operation',
      'ops/s',
      'baseline',
      'CPU server',
      'CPU db',
      'CPU base',
      'stmts/req',
      'p50 ms',
      'p99 ms',
      'RSS MB',
      'ratio',
      'CPU ratio',
      'target',
      '',
    ],
    ...rows.map(({ title, baseline, ours, theirs, ratio, cpuRatio, reach, reached }) => [
      title,
      rate(ours),
      `${rate(theirs)} ${baseline}`,
      ours.cpuServer.toFixed(2),
      ours.cpuDatabase === null ? '-' : ours.cpuDatabase.toFixed(2),
      (theirs.cpuServer + (theirs.cpuDatabase ?? 0)).toFixed(2),
      ours.statementsPerRequest.toFixed(2),
      ours.p50.toFixed(1),
      ours.p99.toFixed(1),
      ours.memory.toFixed(0),
      ratio.toFixed(2),
      cpuRatio.toFixed(2),
      `>= ${Number(reach.toFixed(2))}`,
      reached ? 'ok' : 'MISS',
    ]),
  ];
  const widths = lines[0]!.map((_, column) =>
    Math.max(...lines.map((line) => line[column]!.length)),
  );
  const table = lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 || column === line.length - 1
            ? cell.padEnd(widths[column]!)
            : cell.padStart(widths[column]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
  return [
    `Database: ${database}. Node ${node}, ${cores} cores.`,
    `${options.clients} clients, ${options.rounds} interleaved rounds of ${options.seconds} s, medians; ${options.people} other people in the database. CPU in ms per operation.`,
    '',
    table,
    '',
    `Memory of one process under load: ${memory.peak.toFixed(0)} MB at most, target <= ${memory.reach} MB: ${memory.reached ? 'ok' : 'MISS'}`,
    ...(saml
      ? [
          `SAML: an ordinary response takes ${saml.verification.toFixed(1)} ms of a processor in a thread of its own, target < ${saml.reach} ms: ${saml.reached ? 'ok' : 'MISS'}; signed twice ${saml.signedTwice.toFixed(1)} ms, encrypted ${saml.encrypted.toFixed(1)} ms; 84 KB that mean to be slow are refused in ${saml.hostile.toFixed(1)} ms.`,
        ]
      : []),
    ...(besideSaml ? besideLines(besideSaml) : []),
  ].join('\n');
}

function besideLines({ signIns, questions, beside, ratio }: BesideFigures): string[] {
  const one = ({ p50, p99 }: { p50: number; p99: number }): string =>
    `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
  const times = (value: number): string => `${value.toFixed(2)} times the p99 beside small ones`;
  return [
    `/healthz, asked ${questions} times a second, beside ${signIns} SAML sign-ins a second that end with a document that is refused:`,
    `  nothing beside it                 ${one(beside.nothing)}`,
    `  small ones, wrongly signed        ${one(beside.saml_small)}`,
    `  84 KB of 16,000 elements          ${one(beside.saml_siblings)}; ${times(ratio.saml_siblings)}`,
    `  84 KB of 1,500, wrongly signed    ${one(beside.saml_attributes)}; ${times(ratio.saml_attributes)}`,
  ];
}

function rate({ perSecond }: Figures): string {
  return perSecond.toFixed(perSecond < 100 ? 1 : 0);
}
