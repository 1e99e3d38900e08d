import { Router } from '@koa/router';
import { html, type Html } from '#platform/html.ts';
import { refusals } from '#identity/refusal.ts';
import { pageContext, sendPage } from '../context.ts';
import { layout, type PageContext } from '../layout.ts';
import { describeAll, openApi, type Described } from './openapi.ts';
import { requestProblems, statuses } from './problems.ts';

/** `/api/openapi.json`, for programs, and `/api/docs`, the same for people. Made when first asked for. */
export function apiDocumentation(issuer: string): Router {
  const router = new Router();
  let document: string | undefined;
  let content: Html | undefined;

  router.get('/api/openapi.json', (ctx) => {
    ctx.type = 'application/json';
    ctx.set('Cache-Control', 'public, max-age=300');
    ctx.body = document ??= JSON.stringify(openApi(issuer));
  });

  router.get('/api/docs', (ctx) => {
    content ??= operationsPage(describeAll().described, issuer);
    sendPage(ctx, 200, docsPage(pageContext(ctx), content));
  });
  return router;
}

/** A developer's page: in English only, as the codes are. */
function docsPage(page: PageContext, content: Html): Html {
  return layout({ ...page, title: 'Administration API', main: content, width: 'wide' });
}

function operationsPage(described: readonly Described[], issuer: string): Html {
  const tags = Map.groupBy(described, ({ tag }) => tag);
  return html`
    <h1>Administration API</h1>
    <p>
      JSON over HTTP at <code>${issuer}/api/v1</code>, with
      <code>Authorization: Bearer &lt;token&gt;</code>. The same as a document for programs:
      <a href="/api/openapi.json">OpenAPI 3.1</a>.
    </p>
    <p>
      Times are RFC 3339 in UTC. Lists are <code>{"items": [...], "nextCursor": ...}</code>; send
      <code>nextCursor</code> back as <code>cursor</code> for the next page. Every request that
      changes something takes an <code>Idempotency-Key</code>: the same request with the same key
      gets the same answer for a day. Errors are <code>application/problem+json</code> with one of
      <a href="#codes">these codes</a>.
    </p>
    <nav aria-label="Operations">
      <ul>
        ${[...tags].map(
          ([tag, all]) => html`
            <li>
              ${tag}:
              ${all.map(({ id }, index) => [index > 0 && ', ', html`<a href="#${id}">${id}</a>`])}
            </li>
          `,
        )}
      </ul>
    </nav>
    ${[...tags].map(
      ([tag, all]) => html`
        <section>
          <h2>${tag}</h2>
          ${all.map((one) => operationSection(one, issuer))}
        </section>
      `,
    )}
    <section id="codes">
      <h2>Codes</h2>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Code</th>
              <th scope="col">Status</th>
              <th scope="col">Meaning</th>
            </tr>
          </thead>
          <tbody>
            ${codes().map(
              ({ code, status, detail }) => html`
                <tr id="${code}">
                  <td><code>${code}</code></td>
                  <td>${status}</td>
                  <td>${detail}</td>
                </tr>
              `,
            )}
          </tbody>
        </table>
      </div>
    </section>
  `;
}

function codes(): { code: string; status: number; detail: string }[] {
  return [
    ...Object.entries(refusals).map(([code, detail]) => ({
      code,
      status: statuses[code as keyof typeof statuses],
      detail,
    })),
    ...Object.entries(requestProblems).map(([code, rest]) => ({ code, ...rest })),
  ].sort((one, other) => (one.code < other.code ? -1 : 1));
}

function operationSection(one: Described, issuer: string): Html {
  const { id, method, path, summary, description, parameters, body, success, problems } = one;
  return html`
    <article id="${id}">
      <h3>${summary}</h3>
      <p><code>${method.toUpperCase()} /api/v1${path}</code></p>
      ${description && html`<p>${description}</p>`}
      ${
        parameters.length > 0 &&
        fieldTable(
          'Parameters',
          parameters.map(({ name, in: place, required, schema }) => ({
            name,
            type: `${typeOf(schema)}, ${place}`,
            required,
            text: textOf(schema),
          })),
        )
      }
      ${body && bodyFields(body).length > 0 && fieldTable('Body', bodyFields(body))}
      <p>
        Answers <code>${success.status}</code>
        ${success.schema ? html`with <code>${typeOf(success.schema)}</code>.` : 'with no body.'}
      </p>
      <details>
        <summary>What can go wrong</summary>
        <ul>
          ${problems.map(
            ({ status, code }) =>
              html`<li>
                ${status} <a href="#${code}"><code>${code}</code></a>
              </li>`,
          )}
        </ul>
      </details>
      <pre class="scroll" tabindex="0" aria-label="Example"><code>${curl(one, issuer)}</code></pre>
    </article>
  `;
}

interface Field {
  name: string;
  type: string;
  required: boolean;
  text: string;
}

function fieldTable(title: string, fields: readonly Field[]): Html {
  return html`
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">${title}</th>
            <th scope="col">Type</th>
            <th scope="col">What it is</th>
          </tr>
        </thead>
        <tbody>
          ${fields.map(
            ({ name, type, required, text }) => html`
              <tr>
                <td><code>${name}</code>${required && ' (required)'}</td>
                <td>${type}</td>
                <td>${text}</td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
  `;
}

type Json = Record<string, unknown>;

/** The fields of a body, those inside others named by their path. */
function bodyFields(schema: Json, prefix = ''): Field[] {
  const required = (schema['required'] as string[] | undefined) ?? [];
  return Object.entries((schema['properties'] as Record<string, Json> | undefined) ?? {}).flatMap(
    ([name, field]) => {
      const inner = (field['items'] as Json | undefined) ?? field;
      return [
        {
          name: `${prefix}${name}`,
          type: typeOf(field),
          required: required.includes(name),
          text: [
            textOf(field),
            'default' in field && `By default ${JSON.stringify(field['default'])}.`,
          ]
            .filter(Boolean)
            .join(' '),
        },
        ...bodyFields(inner, `${prefix}${name}${inner === field ? '' : '[]'}.`),
      ];
    },
  );
}

function textOf({ description }: Json): string {
  return typeof description === 'string' ? description : '';
}

function typeOf(schema: Json): string {
  if (typeof schema['$ref'] === 'string') return schema['$ref'].split('/').at(-1)!;
  if (Array.isArray(schema['enum'])) return schema['enum'].join(' | ');
  if (Array.isArray(schema['anyOf']))
    return (schema['anyOf'] as Json[]).map((one) => typeOf(one)).join(' | ');
  if (schema['type'] === 'array') return `${typeOf((schema['items'] as Json | undefined) ?? {})}[]`;
  const items = (schema['properties'] as Record<string, Json> | undefined)?.['items'];
  if (items) return `{ items: ${typeOf(items)}, nextCursor }`;
  if (schema['format'] === 'date-time') return 'time';
  return typeof schema['type'] === 'string' ? schema['type'] : 'anything';
}

function curl({ method, path, body, example }: Described, issuer: string): string {
  const lines = [`curl ${issuer}/api/v1${path.replace(/\{(\w+)\}/g, '$$$1')}`];
  lines.push('-H "Authorization: Bearer $OSTIARY_TOKEN"');
  if (method !== 'get')
    lines.push(`-X ${method.toUpperCase()}`, '-H "Idempotency-Key: $(uuidgen)"');
  if (body && example !== undefined)
    lines.push("-H 'Content-Type: application/json'", `-d '${JSON.stringify(example)}'`);
  return lines.join(' \\\n  ');
}
