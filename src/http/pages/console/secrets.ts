import { type Child, html } from '#platform/html.ts';
import { act } from './forms.ts';
import { when, whenever, type ConsoleFrame } from './frame.ts';
import { table } from './parts.ts';

export interface SecretRow {
  id: string;
  /** Its last characters, by which people tell secrets apart. */
  hint: string;
  createdAt: Date;
  expiresAt: Date | null;
}

/**
 * Secrets that are alive. False where there is none.
 *
 * @param base where one is taken back: `<base>/secrets/<id>/revoke`
 * @param revoke what that is called, or null for who may not
 */
export function secretsTable(
  page: ConsoleFrame,
  { secrets, base, revoke }: { secrets: readonly SecretRow[]; base: string; revoke: string | null },
): Child {
  const { t } = page;
  return (
    secrets.length > 0 &&
    table({
      caption: t('rooms.secrets'),
      rows: secrets,
      rowId: ({ id }) => `secret-${id}`,
      columns: [
        { title: t('rooms.secret'), cell: ({ hint }) => html`<code>…${hint}</code>` },
        {
          title: t('rooms.created'),
          wide: true,
          cell: ({ createdAt }) => when(page, createdAt, 'day'),
        },
        {
          title: t('rooms.tokens.expires'),
          cell: ({ expiresAt }) => whenever(page, expiresAt, 'day'),
        },
        {
          title: t('console.actions'),
          does: true,
          cell: ({ id, hint }) =>
            revoke !== null &&
            act(page, {
              action: `${base}/secrets/${id}/revoke`,
              label: revoke,
              named: hint,
              kind: 'danger',
            }),
        },
      ],
    })
  );
}
