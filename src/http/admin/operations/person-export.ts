import { z } from 'zod';
import { exportPerson } from '#identity/users/export.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'exportPerson',
  tag: 'Erasure',
  method: 'get',
  path: '/people/:personId/data',
  summary: 'Gives everything that is kept about a person, as they get it themselves.',
  right: 'erasures:operate',
  result: z.record(z.string(), z.unknown()),
  refusals: ['user_not_found'],

  async handle(work, { params }) {
    const id = params['personId']!;
    const data = await exportPerson(work, id, work.now);
    work.record('user.exported', { type: 'user', id });
    // Moments become text, as in the file that the person gets.
    return JSON.parse(JSON.stringify(data)) as Record<string, unknown>;
  },
});
