import type { Command } from '../command.ts';
import { detailed, listed } from '../print.ts';

export const resourceCommands: Command[] = [
  {
    noun: 'resource',
    verb: 'create',
    summary: 'Registers an API that takes JWT access tokens.',
    takes: [{ name: 'identifier', summary: 'Its address, the `aud` of its tokens.' }],
    options: {
      name: { value: 'name', summary: 'What it is called.', required: true },
      scope: { value: 'scope', summary: 'What can be asked for; repeat.', multiple: true },
      ttl: { value: 'seconds', summary: 'How long its tokens live: 30 to 300.' },
      alg: { value: 'RS256|ES256', summary: 'How they are signed; ES256, if left out.' },
    },
    async run(given, { api }) {
      const made = await api.send('POST', '/resource-servers', {
        identifier: given.args[0],
        name: given.text('name'),
        scopes: given.all('scope'),
        ...(given.text('ttl') !== undefined && { ttl: Number(given.text('ttl')) }),
        alg: given.text('alg'),
      });
      return detailed(made);
    },
  },
  {
    noun: 'resource',
    verb: 'list',
    summary: 'Lists the registered APIs.',
    async run(_given, { api }) {
      interface Resource {
        identifier: string;
        name: string;
        scopes: string[];
        ttl: number;
        alg: string;
      }
      const items = await api.list<Resource>('/resource-servers', { limit: '200' });
      return listed(items, {
        IDENTIFIER: ({ identifier }) => identifier,
        NAME: ({ name }) => name,
        SCOPES: ({ scopes }) => scopes,
        TTL: ({ ttl }) => ttl,
        ALG: ({ alg }) => alg,
      });
    },
  },
  {
    noun: 'resource',
    verb: 'remove',
    summary: 'Removes an API: no tokens are made for it any more.',
    takes: [{ name: 'identifier', summary: 'Its address.' }],
    async run(given, { api }) {
      await api.send('DELETE', `/resource-servers/${encodeURIComponent(given.args[0]!)}`);
      return { json: { removed: given.args[0] }, text: 'Removed.' };
    },
  },
];
