import type { Net } from '../../../identity/domains/support.ts';
import type { FakeProvider } from '#test/support/upstream.ts';
import { connected } from '../../federation/support.ts';
import { domainOf, many, unknown, type Scene } from './scene.ts';

const day = 24 * 3600;

/** Domains are claimed, proved, asked for, transferred and let go. */
export async function domains(scene: Scene, net: Net): Promise<void> {
  const { given, server, as, no, yes, operator } = scene;
  const acme = await given.account('Acme', { owns: ['acme.example', 'labs.example'] });
  const beta = await given.account('Beta');
  const aa = as(await given.apiToken(acme));
  const ofBeta = as(await given.apiToken(beta));
  const path = `/accounts/${acme.id}/domains`;
  const betas = `/accounts/${beta.id}/domains`;

  for (const [body, code] of [
    [{ domain: 'no domain' }, 'invalid_domain'],
    [{ domain: 'co.uk' }, 'public_suffix'],
    [{ domain: 'gmail.com' }, 'public_mail_domain'],
    [{ domain: 'mail.example', method: 'email', mailbox: 'x@other.example' }, 'invalid_email'],
  ] as const)
    await no(code, aa.post(path, body));
  const vouch = (domain: string) => operator.post(`${path}/${domain}/attest`, { reason: 'x' });
  await no('invalid_domain', vouch('nothing'));
  await no('domain_not_found', aa.get(`${path}/nothing/impact`));
  const stop = `${betas}/nothing/transfer/stop`;
  await no('domain_not_found', operator.post(stop, { reason: 'x' }));
  await no('public_suffix', vouch('co.uk'));
  await no('public_mail_domain', vouch('gmail.com'));
  await no('domain_owned_by_other', operator.post(`${betas}/acme.example/attest`, { reason: 'x' }));

  // A claim, and what may be done with what is not owned.
  await domainOf(scene, acme, 'pending.example', 'pending');
  await domainOf(scene, acme, 'over.example', 'expired');
  await no('claim_closed', aa.post(`${path}/over.example/verify`));
  for (const [what, body] of [
    ['approve-waiting', {}],
    ['existing-people', { as: 'requests' }],
    ['second-factor', { required: true }],
  ] as const)
    await no('domain_not_owned', aa.post(`${path}/pending.example/${what}`, body));
  await no('domain_not_owned', aa.patch(`${path}/pending.example`, { signup: 'auto' }));
  const defaults = (more: object) => aa.patch(`${path}/acme.example`, { defaults: more });
  await no('role_not_found', defaults({ roles: ['nothing'] }));
  await no('cannot_grant_higher_role', defaults({ roles: ['co_administrator'] }));
  await no('not_found', defaults({ groups: [unknown] }));
  await no('invalid_country', defaults({ entitlementCountry: 'FR' }));
  await domainOf(scene, acme, 'mail.example', 'owned', 'email');
  const below = () => aa.patch(`${path}/mail.example`, { includeSubdomains: true });
  await no('domain_not_proved', below());
  const existing = `${path}/mail.example/existing-people`;
  await no('domain_not_proved', aa.post(existing, { as: 'asked' }));
  await given.rows(
    `update domains d set parent_id = o.id from domains o
     where d.name = 'mail.example' and o.name = 'labs.example'`,
  );
  await no('domain_in_use', below());
  const claimed = (await yes(201, ofBeta.post(betas, { domain: 'acme.example' }))).json;
  const transfer = `${betas}/acme.example/transfer`;
  const reason = { reason: 'Sold.' };
  await no('transfer_refused', operator.post(transfer, reason));
  net.publish(claimed.record as { name: string; value: string });
  await no('domain_not_proved', ofBeta.post(`${betas}/acme.example/request-release`));
  // Each look is ten seconds after the one before.
  await ofBeta.post(`${betas}/acme.example/verify`);
  server.clock.advance(11);
  await yes(200, ofBeta.post(`${betas}/acme.example/verify`));

  // What one account asks of another.
  const released = await yes(201, ofBeta.post(`${betas}/acme.example/request-release`));
  const asked = await yes(201, ofBeta.post(`${betas}/labs.example/request-access`));
  const decide = (request: { json: { id: string } }, decision = 'grant') =>
    aa.post(`/accounts/${acme.id}/domain-requests/${request.json.id}/decide`, { decision });
  const upstream = { issuer: 'https://idp.acme.example/', clientId: 'ostiary' } as FakeProvider;
  const connection = await connected(given, acme, upstream);
  await no('domain_in_use', decide(released));
  await no('domain_in_use', aa.delete(`${path}/acme.example`));
  await yes(200, decide(asked));
  await no('already_decided', decide(asked));
  const ending = `/accounts/${beta.id}/domain-requests/${asked.json.id}`;
  await yes(204, ofBeta.delete(ending));
  await no('already_decided', ofBeta.delete(ending));

  await many(scene, 'domains', `name = 'pending.example'`, 20, ['name']);
  await no('limit_reached', aa.post(path, { domain: 'one-more.example' }));

  // An operator carries a transfer out.
  const second = as((await given.operator('otto@ostiary.example')).token);
  await given.rows(`update domains set challenge = 'ours' where account_id = $1::uuid`, [acme.id]);
  await no('not_found', operator.post(`${transfer}/stop`, reason));
  await no('not_found', second.post(`${transfer}/carry-out`, reason));
  await yes(201, operator.post(transfer, reason));
  await yes(200, operator.post(`${transfer}/stop`, reason));
  await yes(201, operator.post(transfer, reason));
  await no('transfer_refused', second.post(`${transfer}/carry-out`, reason));
  server.clock.advance(15 * day);
  await no('domain_in_use', second.post(`${transfer}/carry-out`, reason));
  await given.rows(`update connections set state = 'disabled' where id = $1::uuid`, [
    connection.id,
  ]);
  await yes(200, second.post(`${transfer}/carry-out`, reason));
}
