import { keyOf } from '#test/support/saml-idp.ts';
import { readCertificate } from '#platform/saml/certificate.ts';
import { FakeProvider } from '#test/support/upstream.ts';
import { connected } from '../../federation/support.ts';
import { idpMetadata, samlDraft } from '#test/support/saml-connection.ts';
import { domainOf, many, unknown, type Scene } from './scene.ts';

/** Connections to companies' own identity providers: what is trusted, tried, and taken back. */
export async function connections(scene: Scene): Promise<void> {
  const { given, as, no, yes } = scene;
  const acme = await given.account('Acme', { owns: ['acme.example', 'labs.example'] });
  const aa = as(await given.apiToken(acme));
  const path = `/accounts/${acme.id}/connections`;
  const upstream = new FakeProvider();
  await upstream.start();
  try {
    await domainOf(scene, acme, 'pending.example', 'pending');
    await domainOf(scene, acme, 'mail.example', 'owned', 'email');
    const oidc = {
      kind: 'oidc',
      name: 'Acme',
      issuer: upstream.issuer,
      oidc: { clientId: upstream.clientId },
    };
    const active = await connected(given, acme, upstream);
    const draft = (await yes(201, aa.post(path, oidc))).json;
    const at = (one: { id: string }, more = '') => `${path}/${one.id}${more}`;
    for (const [body, code] of [
      [{ domains: ['nowhere.example'] }, 'domain_not_found'],
      [{ domains: ['pending.example'] }, 'domain_not_owned'],
      [{ domains: ['mail.example'] }, 'domain_not_proved'],
      [{ domains: ['acme.example'] }, 'domain_in_use'],
      [{ provisioning: { roles: ['nothing'] } }, 'role_not_found'],
      [{ provisioning: { roles: ['co_administrator'] } }, 'cannot_grant_higher_role'],
      [{ provisioning: { groups: [unknown] } }, 'not_found'],
      [{ testers: ['nobody'] }, 'invalid_email'],
      [{ provisioning: { defaultCountry: 'XX' } }, 'invalid_country'],
    ] as const) {
      await no(code, aa.post(path, { ...oidc, ...body }));
      await no(code, aa.patch(at(draft), body));
    }

    // Somebody came who does not fit who is known.
    const pat = await given.user('pat@acme.example', { of: acme });
    const [{ id: conflict }] = (await given.rows(
      `insert into federation_conflicts
         (id, account_id, connection_id, reason, user_id, email, first_at, last_at)
       values (gen_random_uuid(), $1, $2, 'identity_conflict', $3, 'pat@acme.example', now(), now())
       returning id`,
      [acme.id, active.id, pat.id],
    )) as [{ id: string }];
    const conflicts = `/accounts/${acme.id}/connection-conflicts`;
    await yes(204, aa.post(`${conflicts}/${conflict}/close`));
    await no('not_found', aa.post(`${conflicts}/${conflict}/close`));

    // Tried, put to use, and given up.
    await no('connection_not_ready', aa.post(at(draft, '/test')));
    await no('connection_not_ready', aa.post(at(draft, '/activate')));
    await no('connection_not_ready', aa.patch(at(draft), { mode: 'enforced' }));
    await yes(200, aa.patch(at(draft), { domains: ['labs.example'] }));
    const secret = (value: string) =>
      aa.post(at(draft, '/secrets'), { kind: 'client_secret', value });
    const first = (await yes(201, secret('the secret of the company'))).json;
    await yes(200, aa.post(at(draft, '/test')));
    await yes(201, secret('another secret of it'));
    await no('limit_reached', secret('and one too many'));
    await yes(204, aa.delete(at(draft, `/secrets/${first.id}`)));
    await given.rows('update connections set tested_at = now() where id = $1::uuid', [draft.id]);
    await yes(200, aa.post(at(draft, '/activate'), { withoutBreakGlass: true }));
    const [only] = (await aa.get(at(active, '/secrets'))).json.items;
    await no('connection_in_use', aa.delete(at(active, `/secrets/${only.id}`)));
    await no('connection_in_use', aa.delete(at(active)));
    await no('connection_in_use', aa.post(at(active, '/setup-links')));
    const away = (
      await yes(
        201,
        aa.post(path, { ...oidc, issuer: 'http://127.0.0.1:1/', clientSecret: 'secret of it' }),
      )
    ).json;
    await given.rows(
      `update connection_domains set connection_id = $1::uuid where domain = 'labs.example'`,
      [away.id],
    );
    await no('provider_unreachable', aa.post(at(away, '/test')));
    await yes(200, aa.post(at(draft, '/disable'), {}));

    // Who came by it, and what happened on the way.
    const ann = await given.user('ann@acme.example', { of: acme });
    const [{ id: link }] = (await given.rows<{ id: string }>(
      `insert into federated_links (id, user_id, connection_id, issuer, subject, domain, how, linked_at, last_used_at)
       values (gen_random_uuid(), $1::uuid, $2::uuid, 'i', 's', 'acme.example', 'test', now(), now()) returning id`,
      [ann.id, active.id],
    )) as [{ id: string }];
    await yes(204, aa.delete(at(active, `/links/${link}`)));
    const [{ id: trace }] = (await given.rows<{ id: string }>(
      `insert into federated_traces (id, connection_id, account_id, purpose, outcome, steps, began_at)
       values (gen_random_uuid(), $1::uuid, $2::uuid, 'test', 'failed', '[]', now()) returning id`,
      [active.id, acme.id],
    )) as [{ id: string }];
    await yes(200, aa.get(at(active, `/traces/${trace}`)));
    const links = at(draft, '/setup-links');
    const made = (await yes(201, aa.post(links, { contact: 'Ida' }))).json;
    for (let more = 0; more < 4; more += 1) await yes(201, aa.post(links));
    await no('limit_reached', aa.post(links));
    await yes(204, aa.delete(`${links}/${made.id}`));
    await yes(204, aa.delete(at(draft)));

    await saml(scene, acme, aa, path);
    await many(scene, 'connections', `id = '${away.id}'`, 20);
    await no('limit_reached', aa.post(path, oidc));
  } finally {
    await upstream.stop();
  }
}

async function saml(
  { given, no, yes }: Scene,
  acme: { id: string },
  aa: ReturnType<Scene['as']>,
  path: string,
): Promise<void> {
  const id = await samlDraft(given, acme, { domains: [] });
  const at = `${path}/${id}/saml`;
  const keys = await Promise.all(['pinned', 'ours', 'next', 'other'].map((name) => keyOf(name)));
  const [pinned] = keys as [(typeof keys)[number]];
  await yes(200, aa.get(at));
  await yes(200, aa.post(`${at}/metadata`, { xml: idpMetadata([pinned]) }));
  await yes(200, aa.patch(at, { encryption: true }));
  const accept = (key: (typeof keys)[number]) =>
    aa.post(`${at}/certificates`, { certificate: key.certificate });
  await yes(201, accept(keys[1]!));
  await yes(201, accept(keys[2]!));
  await no('limit_reached', accept(keys[3]!));
  const remove = (key: (typeof keys)[number]) =>
    aa.delete(`${at}/certificates/${readCertificate(key.certificate).fingerprint}`);
  await yes(200, remove(keys[2]!));
  await yes(200, remove(keys[1]!));
  await given.rows(`update connections set state = 'active' where id = $1::uuid`, [id]);
  await no('limit_reached', remove(pinned));

  const added = (await yes(201, aa.post(`${at}/keys`))).json;
  await no('limit_reached', aa.post(`${at}/keys`));
  const [first, second] = added.ours.keys as { id: string }[];
  await yes(200, aa.delete(`${at}/keys/${first!.id}`));
  await no('limit_reached', aa.delete(`${at}/keys/${second!.id}`));
}
