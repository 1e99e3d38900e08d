import { html, type Html } from '#platform/html.ts';
import { named } from '../../form.ts';
import { consolePage, type ConsoleFrame, when } from './frame.ts';
import { empty, pager, table } from './parts.ts';
import { nameAndEmail, nameOf, type Named } from './people.ts';

export interface RemovedPage extends ConsoleFrame {
  people: readonly (Named & { removedAt: Date; removedBy: string | null })[];
  nextCursor: string | null;
  later: boolean;
}

/** Who was removed within 30 days: it can be taken back. */
export function removedPage(page: RemovedPage): Html {
  const { t, people, nextCursor, later } = page;
  return consolePage(page, {
    title: t('people.removed.title'),
    lead: t('people.removed.lead'),
    back: { href: '/console/users', title: t('people.title') },
    main: html`<div id="list" class="list">
      ${
        people.length === 0
          ? empty(t('people.removed.none'))
          : table({
              caption: t('people.removed.title'),
              rows: people,
              rowId: ({ id }) => `user-${id}`,
              columns: [
                { title: t('people.name'), cell: (person) => nameAndEmail(person) },
                {
                  title: t('people.removed.at'),
                  cell: ({ removedAt }) => when(page, removedAt),
                  wide: true,
                },
                {
                  title: t('people.removed.by'),
                  cell: ({ removedBy }) => removedBy && named(removedBy),
                  wide: true,
                },
                {
                  title: t('console.actions'),
                  does: true,
                  cell: ({ id, ...person }) =>
                    html`<a
                      class="button"
                      href="/console/users/do/restore?ids=${id}"
                      aria-label="${t('people.removed.restore', { name: nameOf(person) })}"
                      >${t('people.do.restore')}</a
                    >`,
                },
              ],
            })
      }
      ${pager(page, { href: '/console/users/removed', nextCursor, later })}
    </div>`,
  });
}
