import { z } from 'zod';
import { Refusal } from '#identity/refusal.ts';
import { canonicalEmail } from '#identity/users/email.ts';
import { openErasures, requestErasure } from '#identity/users/erase.ts';
import { findPersonByEmail } from '#identity/users/person.ts';
import { operation } from '../operation.ts';
import { ErasureView } from '../belonging-views.ts';
import { Email } from '../schemas.ts';

export default operation({
  id: 'requestErasure',
  tag: 'Erasure',
  method: 'post',
  path: '/erasures',
  summary: 'Has a person deleted in thirty days, who asked for it outside of this system.',
  right: 'erasures:operate',
  body: z.strictObject({ email: Email }),
  example: { email: 'ann@acme.example' },
  result: ErasureView,
  status: 201,
  refusals: [
    'invalid_email',
    'user_not_found',
    'last_administrator',
    'user_is_fulfillment_contact',
  ],

  async handle(work, { body }) {
    const person = await findPersonByEmail(work, canonicalEmail(body.email)!, work.now);
    if (!person) throw new Refusal('user_not_found');
    await requestErasure(work, person);
    return (await openErasures(work, null)).find(({ userId }) => userId === person.id)!;
  },
});
