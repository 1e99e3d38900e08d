import { byteOrderMark, csvRow } from '#platform/csv.ts';
import { termsEvidence } from '#identity/terms/terms.ts';
import type { Download } from '../operation.ts';

const columns = [
  'id',
  'userId',
  'email',
  'kind',
  'version',
  'locale',
  'sha256',
  'acceptedAt',
  'ip',
  'userAgent',
  'clientId',
  'interaction',
] as const;

export default {
  id: 'termsEvidence',
  tag: 'Terms',
  path: '/terms/evidence.csv',
  summary: 'Who accepted which version, when, and where from.',
  right: 'terms:publish',
  fileName: 'terms-evidence.csv',

  async *rows(sql) {
    yield byteOrderMark + csvRow(columns);
    for await (const row of termsEvidence(sql)) yield csvRow(columns.map((column) => row[column]));
  },
} satisfies Download;
