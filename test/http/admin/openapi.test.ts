import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { refusals } from '#identity/refusal.ts';
import { downloads, operations } from '../../../src/http/admin/operations.ts';
import { statuses } from '../../../src/http/admin/problems.ts';

type Json = Record<string, never>;

interface Document {
  openapi: string;
  paths: Record<
    string,
    Record<
      string,
      {
        operationId: string;
        responses: Json;
        parameters: { name: string; in: string }[];
        requestBody?: { content: Json };
      }
    >
  >;
  components: { schemas: Json };
}

describe('the document of the API', () => {
  it('names every operation, and what stands in its address', async ({ program }) => {
    const document = (await program.get('/api/openapi.json')).json as Document;
    expect(document.openapi).toBe('3.1.0');
    const named = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, one]) => ({ path, method, ...one })),
    );
    expect(named).toHaveLength(operations.length + downloads.length);
    expect(new Set(named.map(({ operationId }) => operationId)).size).toBe(named.length);

    for (const { path, method, responses, parameters } of named) {
      const names = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => name);
      expect(parameters.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(names);
      if (method !== 'get') expect(parameters.map(({ name }) => name)).toContain('Idempotency-Key');
      expect(Object.keys(responses)).toContain('401');
    }
  });

  it('refers to nothing that is not in it', async ({ program }) => {
    const { text, json } = await program.get('/api/openapi.json');
    const references = new Set(Array.from(text.matchAll(/"\$ref":"([^"]+)"/g), ([, one]) => one!));
    const { schemas } = (json as Document).components;
    expect(
      [...references]
        .map((one) => one.replace('#/components/schemas/', ''))
        .filter((name) => !(name in schemas)),
    ).toEqual([]);
    expect(Object.keys(schemas)).toEqual(
      expect.arrayContaining(['Account', 'User', 'Client', 'Problem']),
    );
    expect(text).not.toContain('$defs');
  });

  it('is shown on a page that needs no script', async ({ program }) => {
    const page = await program.get('/api/docs');
    expect(page.status).toBe(200);
    expect(page.text).not.toContain('<script');
    for (const { id } of operations) expect(page.text).toContain(`id="${id}"`);
    for (const code of Object.keys(refusals)) expect(page.text).toContain(`id="${code}"`);
    expect(page.words).toContain('curl');
    const ids = Array.from(page.text.matchAll(/ id="([^"]+)"/g), ([, id]) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });

  it('says every refusal with a status of its own kind', () => {
    for (const [code, status] of Object.entries(statuses)) {
      expect([code, status >= 400 && status < 500]).toEqual([code, true]);
      if (code.endsWith('_not_found') && code !== 'role_not_found')
        expect([code, status]).toEqual([code, 404]);
    }
  });
});
