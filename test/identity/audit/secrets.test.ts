import { expect } from 'vitest';
import { sealAudit } from '#identity/audit/chain.ts';
import { withoutSecrets } from '#identity/events/event.ts';
import { it } from '#test/support/it.ts';
import { refresh, signIn, tokensFor, typePassword, authorizeUrl } from '#test/support/sign-in.ts';
import { caller, someone } from '../../http/admin/support.ts';

/**
 * A journey along everything that has a secret: after it, no secret is in the audit log, whoever
 * wrote it there, and no address of a person, which could not be erased.
 */
it('holds no secret and no address after a journey along all of them', async ({
  server,
  given,
  browser,
  program,
}) => {
  const secrets = new Set<string>();
  const keep = (...texts: (string | undefined)[]): void => {
    for (const text of texts) if (text && text.length >= 6) secrets.add(text);
  };
  const mails = async (): Promise<void> => {
    await server.app.delivery.drain();
    for (const { text } of await given.mails()) {
      for (const [, token] of text.matchAll(/token=([\w-]{16,})/g)) keep(token);
      for (const [code] of text.matchAll(/\b\d{6,8}\b/g)) keep(code);
    }
  };

  await given.terms();
  const operatorToken = await given.apiToken();
  const operator = caller(program, operatorToken);
  const acme = await operator.post('/accounts', {
    name: 'Acme',
    countries: ['US'],
    fulfillmentContact: someone('fay@acme.example'),
  });
  const account = `/accounts/${acme.json.id}`;
  const at = { id: acme.json.id as string };
  keep(operatorToken);

  // --- Everything the API tells once
  const token = await operator.post(`${account}/api-tokens`, { name: 'Import' });
  const client = await operator.post('/clients', {
    name: 'Planner',
    metadata: { redirect_uris: ['https://planner.example/cb'] },
  });
  const hook = await operator.post(`${account}/webhooks`, {
    url: 'https://hooks.acme.example/',
    actions: ['*'],
  });
  const rotated = await operator.post(`${account}/webhooks/${hook.json.id}/rotate-secret`);
  keep(token.json.secret, client.json.secret, hook.json.secret, rotated.json.secret);
  const claim = await operator.post(`${account}/domains`, {
    domain: 'acme.example',
    method: 'dns',
  });
  expect([201, 409]).toContain(claim.status);
  await operator.post(`${account}/domains/acme.example/attest`, { reason: 'A letter came.' });
  await operator.post(`${account}/users`, someone('new@acme.example'));
  await operator.post(`${account}/users`, someone('guest@elsewhere.example'));
  await mails();

  // --- A person who mistypes, signs in, forgets, is locked
  const ann = await given.user('ann@acme.example', { of: at, password: 'the first sentence' });
  const app = await given.client();
  const wrong = await browser.follow(await browser.get(authorizeUrl(app)));
  await typePassword(browser, wrong, { email: ann.email, password: 'quite another sentence' });
  keep('quite another sentence', ann.password);
  browser.forgetCookies();
  const tokens = await tokensFor(browser, app, ann, {
    scope: 'openid offline_access',
    prompt: 'consent',
  });
  keep(tokens.access_token, tokens.refresh_token, tokens.id_token, app.secret);
  const renewed = await refresh(program, app, tokens.refresh_token!);
  keep(renewed.json.access_token, renewed.json.refresh_token);
  await refresh(program, app, tokens.refresh_token!);
  const forgot = await browser.get('/forgot-password');
  await browser.submit(forgot.forms[0]!, { email: ann.email });
  await mails();
  await operator.post(`${account}/users/${ann.id}/reset-password`);
  await operator.post(`${account}/users/${ann.id}/lock`, { note: 'Left.' });
  await operator.post(`${account}/users/${ann.id}/unlock`);
  await signIn(browser, app, ann);
  const asked = await operator.post('/erasures', { email: 'ann@acme.example' });
  expect(asked.status).toBe(201);
  await operator.post(`/erasures/${ann.id}/cancel`);
  await operator.delete(`${account}/users/${ann.id}`);
  await mails();

  const { database, vault } = given.foundation;
  while (((await sealAudit(database, vault)) ?? 1) > 0);
  const rows = await given.rows<{ action: string; text: string; details: object }>(
    'select action, e::text as text, details from audit_events e order by id',
  );
  expect(rows.length).toBeGreaterThan(25);
  expect(secrets.size).toBeGreaterThan(12);
  for (const { action, text, details } of rows) {
    for (const secret of secrets) expect([action, text.includes(secret)]).toEqual([action, false]);
    expect([action, /[\w.]+@[\w-]+\.\w+/.exec(text)?.[0]]).toEqual([action, undefined]);
    // What is sent to webhooks leaves out what sounds like a secret; here there is nothing such.
    expect(withoutSecrets(details)).toEqual(details);
  }
  expect(server.errors).toEqual([]);
});
