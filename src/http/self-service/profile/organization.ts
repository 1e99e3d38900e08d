import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { administratorsOf } from '#identity/accounts/administrators.ts';
import { sendPage } from '../../context.ts';
import { countryName, roleName } from '../../pages/console/people.ts';
import { accountPage } from '../../pages/profile/organization.ts';
import type { CurrentSession } from '../../sessions.ts';
import type { ProfileDesk } from './desk.ts';

/** `/profile/account`: where somebody belongs, and who helps them there (behaviour.md F25). */
export function organizationRoutes(router: Router, desk: ProfileDesk): void {
  const { passwords, sessions, pageOf } = desk;
  const { database, clock } = passwords;

  router.get('/account', async (ctx) => {
    const session = await sessions.require(ctx);
    if (session) await showAccount(ctx, session);
  });

  async function showAccount(ctx: Context, session: CurrentSession): Promise<void> {
    const { person } = session;
    const { account } = person;
    const page = pageOf(ctx, session);
    const [pending, invitations, terms, roles] = await Promise.all([
      database.query<{ id: string; name: string }>(
        `select a.id, a.name from approval_requests r join accounts a on a.id = r.account_id
         where r.user_id = $1 and r.state = 'open'`,
        [person.id],
      ),
      database.query<{ account: string; expiresAt: Date }>(
        `select a.name as account, i.expires_at as "expiresAt"
         from invitations i join accounts a on a.id = i.account_id
         join users u on u.email = i.email
         where u.id = $1 and i.state = 'pending' and i.expires_at > $2 order by i.created_at`,
        [person.id, clock()],
      ),
      database.query<{ title: string; version: string; acceptedAt: Date }>(
        `select t.title, v.version, k.accepted_at as "acceptedAt"
         from terms_acceptances k join terms_versions v on v.id = k.version_id
         join terms_texts t on t.version_id = v.id and t.locale = k.locale
         where k.user_id = $1 order by k.accepted_at desc`,
        [person.id],
      ),
      database.query<{ key: string; name: string }>(
        'select key, name from roles where key = any ($1::text[])',
        [person.roles],
      ),
    ]);
    sendPage(
      ctx,
      200,
      accountPage({
        ...page,
        account:
          person.affiliation === 'member' && account
            ? {
                name: account.name,
                number: account.number,
                hold: account.status === 'on_hold' ? (account.holdReason ?? '') : null,
              }
            : null,
        pendingAt: pending[0]?.name,
        roles: roles.map((role) => roleName(page, role)),
        groups: person.groups.map(({ name }) => name),
        entitlementCountry:
          person.entitlementCountry && countryName(page, person.entitlementCountry),
        administrators: await administratorsOf(database, account?.id ?? pending[0]?.id ?? null),
        invitations,
        terms,
      }),
    );
  }
}
