import { type Html, html } from '#platform/html.ts';
import { named } from '../../form.ts';
import { home } from './connections.ts';
import { consolePage, when, type ConsoleFrame } from './frame.ts';
import { confirmPage, empty, facts, pager, table } from './parts.ts';

export interface LinkShown {
  id: string;
  userId: string;
  email: string | null;
  subject: string;
  how: string;
  linkedAt: Date;
  lastUsedAt: Date;
}

/** Who is linked to whom at the provider. */
export function linkedPeoplePage(
  page: ConsoleFrame & {
    connection: { id: string; name: string };
    links: readonly LinkShown[];
    nextCursor: string | null;
    later: boolean;
    may: boolean;
  },
): Html {
  const { t, connection, links, may } = page;
  const base = `${home}/${connection.id}`;
  return consolePage(page, {
    title: t('connection.people'),
    lead: t('connection.people_lead'),
    back: { href: base, title: named(connection.name) },
    main: html`<div id="list" class="list">
      ${
        links.length === 0
          ? empty(t('connection.people_none'))
          : table({
              caption: t('connection.people'),
              rows: links,
              columns: [
                {
                  title: t('rooms.explain.person'),
                  cell: ({ userId, email, subject }) => [
                    html`<a href="${`/console/users/${userId}`}">${named(email ?? '–', 80)}</a>`,
                    html`<span class="hint"><code>${named(subject, 80)}</code></span>`,
                  ],
                },
                {
                  title: t('connection.linked_at'),
                  wide: true,
                  cell: ({ linkedAt, how }) => [
                    when(page, linkedAt, 'day'),
                    ' ',
                    html`<code>${how}</code>`,
                  ],
                },
                { title: t('rooms.tokens.used'), cell: ({ lastUsedAt }) => when(page, lastUsedAt) },
                {
                  title: t('console.actions'),
                  does: true,
                  cell: ({ id, email }) =>
                    may &&
                    html`<a
                      class="button danger"
                      href="${`${base}/people/${id}/unlink`}"
                      aria-label="${`${t('connection.unlink')}: ${email ?? ''}`}"
                      >${t('connection.unlink')}</a
                    >`,
                },
              ],
            })
      }
      ${pager(page, {
        href: `${base}/people`,
        nextCursor: page.nextCursor,
        later: page.later,
      })}
    </div>`,
  });
}

export function unlinkPage(
  page: ConsoleFrame & { connection: { id: string; name: string }; link: LinkShown },
): Html {
  const { t, connection, link } = page;
  const base = `${home}/${connection.id}/people`;
  return confirmPage(page, {
    title: t('connection.unlink'),
    heading: [t('connection.unlink'), ': ', named(link.email ?? link.subject)],
    back: { href: base, title: t('connection.people') },
    what: [
      html`<p>${t('connection.unlink_text')}</p>`,
      facts([[t('rooms.connection.subject'), named(link.subject, 200)]]),
    ],
    action: `${base}/${link.id}/unlink`,
    button: t('connection.unlink'),
    danger: true,
  });
}
