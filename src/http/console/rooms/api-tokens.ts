import {
  createApiToken,
  listApiTokens,
  requireRoom,
  revokeApiToken,
  tokenScopes,
  type ApiToken,
} from '#identity/access/api-token.ts';
import type { Capability } from '#identity/access/rights.ts';
import { Refusal } from '#identity/refusal.ts';
import type { Work } from '#identity/work.ts';
import {
  apiTokensPage,
  lifetimes,
  newTokenPage,
  purposes,
} from '../../pages/console/api-tokens.ts';
import { secretPage } from '../../pages/console/forms.ts';
import type { Door, MenuEntry, Room, Visit } from '../room.ts';
import { Typed } from '../typed.ts';

const day = 24 * 3600_000;

/** Programs that act for the account. */
export const apiTokens: Room = {
  menu: {
    path: '/api-tokens',
    title: 'rooms.tokens',
    section: 'organization',
    right: 'api_tokens:read',
  },
  open: (door) =>
    openAt(door, {
      path: '/api-tokens',
      title: 'rooms.tokens',
      everywhere: false,
      read: 'api_tokens:read',
      create: 'api_tokens:manage',
      revoke: 'api_tokens:revoke',
    }),
};

/** Programs that may do what operators may. */
export const operatorTokens: Room = {
  menu: {
    path: '/installation/api-tokens',
    title: 'rooms.tokens_operator',
    section: 'installation',
    right: 'operator_tokens:manage',
    everywhere: true,
  },
  open: (door) =>
    openAt(door, {
      path: '/installation/api-tokens',
      title: 'rooms.tokens_operator',
      everywhere: true,
      read: 'operator_tokens:manage',
      create: 'operator_tokens:manage',
      revoke: 'operator_tokens:manage',
    }),
};

interface Place {
  path: string;
  title: MenuEntry['title'];
  everywhere: boolean;
  read: Capability;
  create: Capability;
  revoke: Capability;
}

const scopesFor: Record<(typeof purposes)[number], readonly string[]> = {
  everything: [],
  reading: tokenScopes.filter((scope) => /:(read|list|read_all|verify)$/.test(scope)),
  people: ['users:*', 'approvals:*', 'groups:*', 'contacts:*', 'roles:read', 'account:read'],
  audit: ['audit:*', 'reports:*'],
};

function openAt(door: Door, { path, title, everywhere, read, create, revoke }: Place): void {
  const accountOf = (visit: Visit): string | null => (everywhere ? null : visit.account.id);
  const change = <T>(visit: Visit, command: (work: Work) => Promise<T>): Promise<T> =>
    everywhere ? visit.operate(command) : visit.act(command);

  door.get(path, read, async (visit) => {
    visit.show(
      apiTokensPage({
        ...visit.page,
        title: visit.t(title),
        path: `/console${path}`,
        tokens: await listApiTokens(visit.sql, accountOf(visit), visit.now),
        may: { create: visit.may(create), revoke: visit.may(revoke) },
      }),
    );
  });

  // A token outlives the session it was made in: who makes one has just proved who they are.
  door.get(`${path}/new`, create, (visit) => showNew(visit), { fresh: true });
  door.post(
    `${path}/new`,
    create,
    async (visit) => {
      const typed = new Typed(visit);
      const name = typed.line('name');
      const role: ApiToken['role'] = everywhere
        ? 'operator'
        : typed.choice('role', ['co_administrator', 'account_administrator']);
      const purpose = typed.choice('purpose', purposes);
      const days = lifetimes.find((one) => String(one) === visit.value('days')) ?? 30;
      if (!typed.ok) return showNew(visit, typed.errors);
      const expiresAt = days === 0 ? null : new Date(visit.now.getTime() + days * day);
      try {
        const { secret } = await change(visit, async (work) => {
          await requireRoom(work, accountOf(visit), expiresAt ?? undefined);
          return createApiToken(work, {
            name,
            accountId: accountOf(visit),
            role,
            scopes: scopesFor[purpose],
            expiresAt,
          });
        });
        visit.show(
          secretPage(visit.page, {
            title: name,
            back: { href: `/console${path}`, title: visit.t(title) },
            secrets: [[visit.t('rooms.tokens.token'), secret]],
          }),
          201,
        );
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== 'limit_reached') throw error;
        showNew(visit, { name: visit.reason(error) });
      }
    },
    { fresh: true },
  );

  door.post(`${path}/:tokenId/revoke`, revoke, async (visit) => {
    await change(visit, (work) => revokeApiToken(work, visit.params['tokenId']!, accountOf(visit)));
    visit.done(path, visit.t('rooms.tokens.revoked'));
  });

  function showNew(visit: Visit, errors: Typed['errors'] = {}): void {
    visit.show(
      newTokenPage({
        ...visit.page,
        title: visit.t(title),
        path: `/console${path}`,
        roles: !everywhere,
        values: {
          name: visit.value('name'),
          role: visit.value('role') || 'co_administrator',
          purpose: visit.value('purpose') || 'reading',
          days: visit.value('days') || '90',
        },
        errors,
      }),
      Object.keys(errors).length > 0 ? 422 : 200,
    );
  }
}
