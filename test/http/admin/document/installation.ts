import { continueMoves } from '#identity/accounts/move-people.ts';
import { workOnBulk } from '#identity/bulk/run.ts';
import { addApp } from '#test/support/factors.ts';
import type { Answer } from '#test/support/agent.ts';
import type { Caller } from '../support.ts';
import { many, unknown, type Scene } from './scene.ts';

/** Accounts are made, moved together and apart, and closed. */
export async function accounts(scene: Scene): Promise<void> {
  const { given, as, no, yes, operator } = scene;
  const acme = await given.account('Acme', { owns: ['acme.example', 'labs.example'] });
  const beta = await given.account('Beta', { number: '7' });
  const gone = await given.account('Gone');
  await given.user('fay@acme.example', { of: acme, roles: ['account_administrator'] });
  const lab = await given.user('lab@labs.example', { of: acme });
  const path = `/accounts/${acme.id}`;
  const contact = { givenName: 'Fay', familyName: 'M', country: 'US' };
  const account = (email: string, more = {}) =>
    operator.post('/accounts', {
      name: 'New',
      fulfillmentContact: { ...contact, email },
      ...more,
    });
  await yes(201, account('fay@new.example'));
  await no('invalid_email', account('nobody'));
  await no('invalid_country', account('gus@new.example', { countries: ['XX'] }));
  await no('user_in_other_account', account('fay@acme.example'));
  await given.locked(await given.user('gone@new.example'), 'operator');
  await no('user_not_addable', account('gone@new.example'));
  await no('account_number_exists', account('gus@new.example', { number: '7' }));
  await no('account_number_exists', operator.patch(path, { number: '7' }));
  await no('invalid_country', operator.patch(path, { countries: ['XX'] }));

  // Moves are proposed by one operator, and begun by another.
  const otto = as((await given.operator('otto@ostiary.example')).token);
  const ask = async (what: string, body: object): Promise<Answer> => {
    const { digest } = (await yes(200, operator.post(`${path}/${what}`, body))).json;
    const proposed = { ...body, mode: 'propose', confirm: digest, reason: 'Bought.' };
    return operator.post(`${path}/${what}`, proposed);
  };
  const propose = async (what: string, body: object) =>
    (await yes(201, ask(what, body))).json.proposal as { id: string; digest: string };
  const at = ({ id }: { id: string }, verb = '') => `/account-move-proposals/${id}${verb}`;
  const begin = (by: Caller, one: { id: string; digest: string }) =>
    by.post(at(one, '/confirm'), { digest: one.digest });
  const apart = { name: 'Labs', domains: ['labs.example'], administrators: [lab.id] };
  const into = { into: beta.id };
  await no('move_refused', ask('merge', { into: acme.id }));
  await no('move_refused', ask('split', { ...apart, domains: ['nowhere.example'] }));
  const vain = await propose('merge', into);
  await yes(200, operator.get(at(vain)));
  await yes(200, operator.post(at(vain, '/withdraw')));
  await no('proposal_closed', operator.post(at(vain, '/withdraw')));
  await no('proposal_closed', begin(otto, vain));
  const split = await propose('split', apart);
  await no('second_operator_required', begin(operator, split));
  const { id } = (await yes(201, begin(otto, split))).json;
  await yes(200, operator.get(`/account-moves/${id}`));
  while (await continueMoves(given.foundation));
  const late = await propose('merge', into);
  await yes(200, operator.post(`${path}/close`, { reason: 'x' }));
  await no('move_refused', begin(otto, late));

  await no('account_closed', operator.post(`/accounts/${gone.id}/keep`));
  await yes(200, operator.post(`/accounts/${gone.id}/close`, { reason: 'x' }));
  await no('account_closed', operator.post(`/accounts/${gone.id}/close`, { reason: 'x' }));
}

/** Applications, their secrets, terms, and the tokens and webhooks of programs. */
export async function programs(scene: Scene): Promise<void> {
  const { given, as, no, yes, operator, program } = scene;
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  const aa = as(await given.apiToken(acme));
  const path = `/accounts/${acme.id}`;

  const uris = { redirect_uris: ['https://p.example/cb'] };
  const client = (more: object) =>
    operator.post('/clients', { name: 'P', metadata: uris, ...more });
  const made = (await yes(201, client({ id: 'planner' }))).json;
  await no('client_exists', client({ id: 'planner' }));
  const wild = { redirect_uris: ['https://*.example/'] };
  await no('invalid_client', client({ metadata: wild }));
  await no('invalid_client', operator.patch(`/clients/${made.id}`, { metadata: wild }));
  const secrets = `/clients/${made.id}/secrets`;
  await no('not_found', operator.delete(`${secrets}/${unknown}`));
  const second = (await yes(201, operator.post(secrets))).json;
  await yes(204, operator.delete(`${secrets}/${second.id}`));
  const spa = { ...uris, token_endpoint_auth_method: 'none' };
  const pub = (await yes(201, client({ metadata: spa }))).json;
  await no('invalid_client', operator.post(`/clients/${pub.id}/secrets`));
  const resource = { identifier: 'https://api.example/', name: 'Orders', scopes: [] };
  await yes(201, operator.post('/resource-servers', resource));
  await no('resource_exists', operator.post('/resource-servers', resource));
  await yes(204, operator.delete(`/resource-servers/${encodeURIComponent(resource.identifier)}`));
  const texts = [{ locale: 'en', title: 'Terms', body: 'Be good.' }];
  const terms = { kind: 'tos', version: '1', texts };
  await yes(201, operator.post('/terms', terms));
  await no('version_exists', operator.post('/terms', terms));
  await no('account_not_found', operator.get(`/explain?email=a@acme.example&account=${unknown}`));
  await no('client_not_found', operator.get('/explain?email=a@acme.example&client=nobody'));

  // Tokens and webhooks: so many, and no more.
  const url = 'https://hooks.acme.example/ostiary';
  const hook = { url, actions: ['*'] };
  for (const [as_, of, table] of [
    [aa, path, 'account_id is not null'],
    [operator, '', 'account_id is null'],
  ] as [Caller, string, string][]) {
    const { id } = (await yes(201, as_.post(`${of}/webhooks`, hook))).json;
    const at = `${of}/webhooks/${id}`;
    const delivery = (await yes(200, as_.post(`${at}/test`))).json;
    await yes(200, as_.post(`${at}/deliveries/${delivery.id}`, { decision: 'skip' }));
    await many(scene, 'webhooks', table, 20);
    await no('limit_reached', as_.post(`${of}/webhooks`, hook));
    await yes(204, as_.delete(at));
    const token = (await yes(201, as_.post(`${of}/api-tokens`, { name: 'x' }))).json;
    await many(scene, 'api_tokens', `id = '${token.id}'`, 100, ['secret_hash']);
    await no('limit_reached', as_.post(`${of}/api-tokens`, { name: 'y' }));
    await yes(204, as_.delete(`${of}/api-tokens/${token.id}`));
  }

  // Directories.
  const directories = `${path}/scim-tokens`;
  const directory = (await yes(201, aa.post(directories, { name: 'Entra ID' }))).json;
  await program.get('/scim/v2/Users/nobody', {
    headers: { authorization: `Bearer ${directory.secret}` },
  });
  const [{ id: request }] = (await yes(200, aa.get(`${path}/scim-requests`))).json.items;
  await yes(200, aa.get(`${path}/scim-requests/${request}`));
  await yes(200, aa.post(`${path}/scim-requests/${request}/replay`));
  await given.rows('update scim_tokens set held_at = now()');
  await yes(200, aa.post(`${directories}/${directory.id}/hold`, { decision: 'release' }));
  await no(
    'already_decided',
    aa.post(`${directories}/${directory.id}/hold`, { decision: 'release' }),
  );
  await many(scene, 'scim_tokens', 'true', 20, ['secret_hash']);
  await no('limit_reached', aa.post(directories, { name: 'one more' }));
  await yes(204, aa.delete(`${directories}/${directory.id}`));
}

/** Files, and what people sign in with. */
export async function filesAndFactors(scene: Scene): Promise<void> {
  const { given, server, as, no, yes } = scene;
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  const fay = await given.user('fay@acme.example', { of: acme, roles: ['account_administrator'] });
  const gus = await given.user('gus@acme.example', { of: acme, roles: ['account_administrator'] });
  const aa = as(await given.apiToken(acme));
  const path = `/accounts/${acme.id}`;
  const upload = (text: string, query = 'kind=update') => aa.file(`${path}/bulk?${query}`, text);
  await no('invalid_file', upload('Nothing\r\nx'));
  const rows = Array.from({ length: 1001 }, (_, row) => `p${row}@acme.example`);
  await no('too_many_rows', upload(`CurrentEmail\r\n${rows.join('\r\n')}`));
  const file = 'CurrentEmail,FirstName\r\ngus@acme.example,Gustav\r\n';
  const job = (await yes(202, upload(file))).json;
  const done = async () => {
    while (
      await workOnBulk(server.app.foundation, { error: (...told) => server.errors.push(told) })
    );
  };
  await done();
  const waiting = await Promise.all(Array.from({ length: 5 }, () => upload(file)));
  await no('limit_reached', upload(file));
  await no('limit_reached', aa.post(`${path}/bulk/${job.id}/apply`));
  for (const { json } of waiting) await aa.post(`${path}/bulk/${json.id}/cancel`);
  await no('job_closed', aa.post(`${path}/bulk/${waiting[0]!.json.id}/cancel`));
  await yes(202, aa.post(`${path}/bulk/${job.id}/apply`));
  await done();
  await yes(200, aa.get(`${path}/bulk/${job.id}/undo.csv`));

  // Fay signs in, and sets an app up.
  await addApp(server, fay);
  const at = `${path}/users/${fay.id}`;
  const [session] = (await yes(200, aa.get(`${at}/sessions`))).json.items;
  await yes(204, aa.delete(`${at}/sessions/${session.id}`));
  const off = `${path}/users/${gus.id}/break-glass`;
  await no('second_factor_missing', aa.post(off, { on: true }));
  await yes(200, aa.post(`${at}/break-glass`, { on: true }));
  const others = await Promise.all(
    ['a', 'b', 'c'].map((name) =>
      given.user(`${name}@acme.example`, { of: acme, roles: ['account_administrator'] }),
    ),
  );
  for (const { id } of others)
    await given.rows('update users set break_glass = true where id = $1::uuid', [id]);
  await no('limit_reached', aa.post(`${at}/break-glass`, { on: true }));
  const factors = async (): Promise<{ id: string }[]> =>
    (await yes(200, aa.get(`${at}/second-factors`))).json.factors;
  await no('not_found', aa.delete(`${at}/second-factors/${unknown}`));
  const copies = async () => many(scene, 'factors', `user_id = '${fay.id}'`, 1);
  await copies();
  await yes(200, aa.delete(`${at}/second-factors/${(await factors())[0]!.id}`));
  await yes(200, aa.delete(`${at}/second-factors`));
  await no('second_factor_missing', aa.delete(`${at}/second-factors`));
}
