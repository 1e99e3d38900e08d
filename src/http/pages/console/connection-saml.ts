import { type Html, html } from '#platform/html.ts';
import { alert, named, notice, postForm } from '../../form.ts';
import { home } from './connections.ts';
import { consolePage, when, type ConsoleFrame } from './frame.ts';
import { act, questions, type Errors } from './forms.ts';
import { facts, part, table } from './parts.ts';

interface CertificateShown {
  fingerprint: string;
  subject: string;
  notBefore: Date;
  notAfter: Date;
  since: Date;
  /** Found in metadata, and believed by nobody until somebody says so. */
  staged: boolean;
}

export interface SamlPage extends ConsoleFrame {
  connection: { id: string; name: string };
  ours: { entityId: string; acsUrl: string; sloUrl: string };
  keys: readonly { id: string; fingerprint: string; createdAt: Date; expiresAt: Date | null }[];
  theirs: {
    entityId: string | null;
    redirect: string | null;
    post: string | null;
    metadataUrl: string | null;
    metadataReadAt: Date | null;
    metadataProblem: string | null;
  };
  certificates: readonly CertificateShown[];
  values: {
    subjectAttribute: string;
    mutableSubject: boolean;
    nameIdFormat: string;
    binding: string;
    encryption: boolean;
  };
  /** Names of NameID formats that may be asked for. */
  formats: readonly string[];
  failure?: string | undefined;
  errors: Errors;
  may: boolean;
}

/** What a SAML connection knows of its provider, what the provider has to know of us, and whom it believes. */
export function samlPage(page: SamlPage): Html {
  const { t, connection, failure, errors } = page;
  const base = `${home}/${connection.id}`;
  return consolePage(page, {
    title: t('connection.saml'),
    lead: t('connection.saml_text'),
    back: { href: base, title: named(connection.name) },
    failed: failure !== undefined || Object.keys(errors).length > 0,
    main: [
      failure && alert(html`<span>${named(failure, 400)}</span>`),
      certificates(page),
      provider(page),
      naming(page),
      ours(page),
    ],
  });
}

/** A long number that may go on in the next line, and is copied in one piece. */
function breakable(text: string): Html {
  return html`<code>${text.match(/.{1,8}/g)?.map((some) => html`${some}<wbr />`)}</code>`;
}

function certificates(page: SamlPage): Html {
  const { t, csrf, connection, certificates: all, errors, may } = page;
  const base = `${home}/${connection.id}/saml/certificates`;
  return part(
    t('connection.certificates'),
    [
      all.some(({ staged }) => staged) && notice('warning', t('connection.certificates_waiting')),
      html`<p>${t('connection.certificates_text')}</p>`,
      all.length > 0 &&
        table({
          caption: t('connection.certificates'),
          rows: all,
          columns: [
            {
              title: t('setup.fingerprint'),
              cell: ({ fingerprint, subject }) => [
                breakable(fingerprint),
                html`<span class="hint">${named(subject, 120)}</span>`,
              ],
            },
            {
              title: t('rooms.tokens.expires'),
              cell: ({ notAfter }) => when(page, notAfter, 'day'),
            },
            {
              title: t('console.status'),
              cell: ({ staged }) =>
                html`<span class="badge ${staged ? 'warning' : 'success'}"
                  >${t(staged ? 'connection.certificate_staged' : 'connection.certificate_trusted')}</span
                >`,
            },
            {
              title: t('console.actions'),
              does: true,
              cell: ({ fingerprint, staged }) =>
                may && [
                  staged &&
                    act(page, {
                      action: `${base}/accept`,
                      label: t('connection.certificate_accept'),
                      named: fingerprint.slice(0, 16),
                      values: { fingerprint },
                      kind: 'primary',
                    }),
                  act(page, {
                    action: `${base}/remove`,
                    label: t(staged ? 'connection.certificate_reject' : 'rooms.remove'),
                    named: fingerprint.slice(0, 16),
                    values: { fingerprint },
                    kind: 'danger',
                  }),
                ],
            },
          ],
        }),
      may &&
        postForm({ action: `${base}/add`, csrf }, [
          questions(
            [
              {
                kind: 'text',
                name: 'certificate',
                label: t('connection.certificate_new'),
                hint: t('connection.certificate_new_hint'),
                code: true,
                rows: 4,
              },
            ],
            errors,
          ),
          html`<div class="actions">
            <button type="submit">${t('connection.certificate_accept')}</button>
          </div>`,
        ]),
    ],
    { id: 'certificates' },
  );
}

function provider(page: SamlPage): Html {
  const { t, csrf, connection, theirs, errors, may } = page;
  const base = `${home}/${connection.id}/saml`;
  return part(
    t('connection.metadata'),
    [
      theirs.metadataProblem &&
        notice('warning', html`<p lang="en">${named(theirs.metadataProblem, 300)}</p>`),
      facts([
        [t('rooms.connection.issuer'), theirs.entityId && named(theirs.entityId, 300)],
        ['HTTP-Redirect', theirs.redirect && named(theirs.redirect, 300)],
        ['HTTP-POST', theirs.post && named(theirs.post, 300)],
        [t('setup.metadata_url'), theirs.metadataUrl && named(theirs.metadataUrl, 300)],
        [t('connection.metadata_read'), theirs.metadataReadAt && when(page, theirs.metadataReadAt)],
      ]),
      may &&
        theirs.metadataUrl &&
        act(page, { action: `${base}/stop-reading`, label: t('connection.metadata_stop') }),
      may &&
        postForm({ action: `${base}/metadata`, csrf }, [
          html`<p>${t('connection.metadata_text')}</p>`,
          questions(
            [
              { kind: 'url', name: 'url', label: t('setup.metadata_url'), optional: true },
              {
                kind: 'text',
                name: 'xml',
                label: t('setup.metadata_xml'),
                optional: true,
                code: true,
                rows: 4,
              },
            ],
            errors,
          ),
          html`<div class="actions">
            <button type="submit">${t('connection.metadata_do')}</button>
          </div>`,
        ]),
    ],
    { id: 'metadata' },
  );
}

function naming({ t, csrf, connection, values, formats, errors, may }: SamlPage): Html | false {
  if (!may) return false;
  return part(
    t('connection.naming'),
    postForm({ action: `${home}/${connection.id}/saml/naming`, csrf }, [
      questions(
        [
          {
            kind: 'line',
            name: 'subject_attribute',
            label: t('connection.subject_attribute'),
            hint: t('connection.subject_attribute_hint'),
            value: values.subjectAttribute,
            optional: true,
          },
          {
            kind: 'choice',
            name: 'name_id_format',
            label: t('connection.name_id_format'),
            value: values.nameIdFormat,
            options: [
              ['', t('connection.name_id_any')],
              ...formats.map((one) => [one, one.split(':').at(-1) ?? one] as const),
            ],
          },
          {
            kind: 'box',
            name: 'mutable',
            label: t('connection.mutable'),
            hint: t('connection.mutable_hint'),
            checked: values.mutableSubject,
          },
          {
            kind: 'choice',
            name: 'binding',
            label: t('connection.binding'),
            value: values.binding,
            options: [
              ['', t('connection.binding_any')],
              ['redirect', 'HTTP-Redirect'],
              ['post', 'HTTP-POST'],
            ],
          },
          {
            kind: 'box',
            name: 'encryption',
            label: t('connection.encryption'),
            checked: values.encryption,
          },
        ],
        errors,
      ),
      html`<div class="actions">
        <button class="primary" type="submit">${t('rooms.save')}</button>
      </div>`,
    ]),
    { id: 'naming' },
  );
}

function ours(page: SamlPage): Html {
  const { t, connection, ours: of, keys, may } = page;
  const base = `${home}/${connection.id}/saml/keys`;
  return part(
    t('setup.ours'),
    [
      facts([
        [t('setup.entity_id'), html`<code>${of.entityId}</code>`],
        [t('setup.acs'), html`<code>${of.acsUrl}</code>`],
        [t('connection.slo'), html`<code>${of.sloUrl}</code>`],
        [t('setup.metadata'), html`<a href="${of.entityId}">${of.entityId}</a>`],
      ]),
      keys.length > 0 &&
        table({
          caption: t('connection.keys'),
          rows: keys,
          columns: [
            {
              title: t('connection.keys'),
              cell: ({ fingerprint }) => breakable(fingerprint),
            },
            {
              title: t('rooms.created'),
              wide: true,
              cell: ({ createdAt }) => when(page, createdAt, 'day'),
            },
            {
              title: t('rooms.tokens.expires'),
              cell: ({ expiresAt }) => expiresAt && when(page, expiresAt, 'day'),
            },
            {
              title: t('console.actions'),
              does: true,
              cell: ({ id, fingerprint }) =>
                may &&
                act(page, {
                  action: `${base}/${id}/revoke`,
                  label: t('rooms.tokens.revoke'),
                  named: fingerprint.slice(0, 16),
                  kind: 'danger',
                }),
            },
          ],
        }),
      may && [
        html`<p class="hint">${t('connection.keys_text')}</p>`,
        act(page, { action: base, label: t('connection.key_new') }),
      ],
    ],
    { id: 'ours' },
  );
}
