import type { Api } from '../api.ts';
import type { Command, Given } from '../command.ts';
import { accountOf, accountOption } from '../resolve.ts';

const takes = [{ name: 'domain', summary: 'The domain that goes to this account.' }];
const options = {
  ...accountOption,
  reason: { value: 'text', summary: 'Goes into both audit logs.', required: true },
};

async function send(api: Api, given: Given, step: string): Promise<Record<string, unknown>> {
  const account = await accountOf(api, given.text('account'));
  const domain = encodeURIComponent(given.args[0]!);
  return api.send('POST', `/accounts/${account}/domains/${domain}/transfer${step}`, {
    reason: given.text('reason'),
  });
}

/** A domain whose owner does not answer goes to who has proved it, after two weeks' notice. */
export const domainTransferCommands: Command[] = [
  {
    noun: 'domain',
    verb: 'announce-transfer',
    summary: 'Announces that a domain will go to this account, which has proved it.',
    takes,
    options,
    async run(given, { api }) {
      const request = await send(api, given, '');
      return {
        json: request,
        text: `Announced. It can be carried out from ${String(request['dueAt'])}, by another operator.`,
      };
    },
  },
  {
    noun: 'domain',
    verb: 'carry-out-transfer',
    summary: 'Carries a transfer out whose notice is over.',
    takes,
    options,
    async run(given, { api }) {
      return { json: await send(api, given, '/carry-out'), text: 'The account owns the domain.' };
    },
  },
  {
    noun: 'domain',
    verb: 'stop-transfer',
    summary: 'Stops a transfer that was announced.',
    takes,
    options,
    async run(given, { api }) {
      return { json: await send(api, given, '/stop'), text: 'Stopped. Nothing changes.' };
    },
  },
];
