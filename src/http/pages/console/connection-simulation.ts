import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { outcomeText } from '../../federation-text.ts';
import { alert, named, notice, postForm } from '../../form.ts';
import { carried, type MappingValues } from './connection-mapping.ts';
import { json } from './connection-traces.ts';
import { home } from './connections.ts';
import { consolePage, when, type ConsoleFrame } from './frame.ts';
import { questions, type Errors } from './forms.ts';
import { facts, part } from './parts.ts';

export interface SimulatedShown {
  outcome: string;
  reason: string | null;
  bound: boolean;
  mapped: unknown;
  person: unknown;
  grants: unknown;
}

export interface SimulatePage extends ConsoleFrame {
  connection: { id: string; name: string; kind: 'oidc' | 'saml' };
  typed: { subject: string; claims: string; response: string; trace: string };
  /** A mapping that is tried out, not saved; null for the saved one. */
  trial: MappingValues | null;
  found: {
    saved: SimulatedShown;
    tried: SimulatedShown;
    differences: readonly string[];
    issuedAt: Date | null;
    pasted: boolean;
    /** Why an ID token that was pasted would not be believed. */
    unverified: string | null;
  } | null;
  errors: Errors;
  failure?: string | undefined;
}

/** What a sign-in would come to: one that was, one that was pasted, or claims that are made up. */
export function simulatePage(page: SimulatePage): Html {
  const { t, csrf, connection, typed, trial, found, errors, failure } = page;
  const base = `${home}/${connection.id}`;
  return consolePage(page, {
    title: t('rooms.connection.simulate'),
    lead: t('rooms.connection.simulate_text'),
    back: { href: base, title: named(connection.name) },
    failed: failure !== undefined || Object.keys(errors).length > 0,
    main: [
      failure && alert(html`<span lang="en">${named(failure, 400)}</span>`),
      trial && notice('info', t('connection.trial')),
      found && result(page, found),
      part(
        t('connection.simulate_with'),
        postForm({ action: `${base}/simulate`, csrf }, [
          trial && carried(trial),
          questions(
            [
              {
                kind: 'line',
                name: 'trace',
                label: t('rooms.audit.reference'),
                hint: t('connection.simulate_trace'),
                value: typed.trace,
                optional: true,
              },
              {
                kind: 'text',
                name: 'response',
                label: connection.kind === 'saml' ? 'SAMLResponse' : t('connection.token'),
                hint: t(
                  connection.kind === 'saml'
                    ? 'connection.simulate_response'
                    : 'connection.simulate_token',
                ),
                value: typed.response,
                code: true,
                optional: true,
                rows: 4,
              },
              {
                kind: 'line',
                name: 'subject',
                label: t('rooms.connection.subject'),
                value: typed.subject,
                optional: true,
              },
              {
                kind: 'text',
                name: 'claims',
                label: t('rooms.connection.claims'),
                hint: t.parts('connection.simulate_claims', {
                  example: html`<code>{"email": "ann@acme.example", "given_name": "Ann"}</code>`,
                }),
                value: typed.claims,
                code: true,
                optional: true,
                rows: 5,
              },
            ],
            errors,
          ),
          html`<div class="actions">
            <button class="primary" type="submit" name="next" value="simulate">
              ${t('rooms.connection.simulate')}
            </button>
          </div>`,
        ]),
        { id: 'simulate' },
      ),
      trial &&
        part(
          t('connection.preview'),
          postForm({ action: `${base}/mapping`, csrf }, [
            carried(trial),
            html`<div class="actions">
              <button type="submit" name="next" value="try">${t('connection.try')}</button>
              <button type="submit" name="next" value="save">${t('rooms.save')}</button>
            </div>`,
          ]),
        ),
    ],
  });
}

function result(page: SimulatePage, found: NonNullable<SimulatePage['found']>): Child {
  const { t, trial, connection } = page;
  const { saved, tried, differences, issuedAt, pasted, unverified } = found;
  const checked =
    connection.kind === 'saml' ? 'connection.unchecked' : 'connection.token_unchecked';
  return [
    pasted &&
      notice(unverified === null ? 'info' : 'warning', [
        unverified === null
          ? html`<p>${t(checked)}</p>`
          : html`<p>${t('connection.token_unverified')}</p>
              <p lang="en">${named(unverified, 400)}</p>`,
        issuedAt && html`<p>${t.parts('connection.issued', { date: when(page, issuedAt) })}</p>`,
      ]),
    trial
      ? [
          part(
            t('connection.differences'),
            differences.length === 0
              ? html`<p>${t('connection.differences_none')}</p>`
              : html`<p>${differences.map((one) => html`<code>${one}</code> `)}</p>`,
          ),
          simulatedParts(page, tried, 'connection.as_tried'),
          simulatedParts(page, saved, 'connection.as_saved'),
        ]
      : simulatedParts(page, saved, 'rooms.explain.then'),
  ];
}

function simulatedParts(
  { t }: ConsoleFrame,
  { outcome, reason, bound, mapped, person, grants }: SimulatedShown,
  title: MessageKey,
): Child {
  return part(t(title), [
    facts([
      [t('rooms.scim.outcome'), outcomeText(outcome, t)],
      [t('rooms.reason'), reason && outcomeText(reason, t)],
      [t('rooms.connection.bound'), t(bound ? 'rooms.yes' : 'rooms.no')],
    ]),
    html`<h3>${t('rooms.trace.mapped')}</h3>`,
    json(mapped),
    html`<h3>${t('rooms.explain.person')}</h3>`,
    json(person),
    html`<h3>${t('rooms.connection.grants')}</h3>`,
    json(grants),
  ]);
}
