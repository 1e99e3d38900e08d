import { evidenceTable } from '../../terms-file.ts';
import type { Download } from '../operation.ts';

export default {
  id: 'termsEvidence',
  tag: 'Terms',
  path: '/terms/evidence.csv',
  summary: 'Who accepted which version, when, and where from.',
  right: 'terms:publish',
  fileName: 'terms-evidence.csv',

  rows: (sql) => evidenceTable(sql),
} satisfies Download;
