import { rankOf } from '#identity/access/roles.ts';
import { changeSettings, settingsOf } from '#identity/accounts/settings.ts';
import { breakGlassOf, setBreakGlass } from '#identity/credentials/break-glass.ts';
import {
  factorOverview,
  removeFactorOf,
  requireFactor,
  resetFactors,
} from '#identity/credentials/factors.ts';
import { factorlessOf } from '#identity/credentials/factorless.ts';
import { demandFactorOfDomain, domainsWithDemand } from '#identity/domains/second-factor.ts';
import { secondFactorPolicies } from '#identity/sign-in/second-factor-policy.ts';
import { domainForPeople } from '#identity/users/email.ts';
import { userOfAccount } from '#identity/users/find-users.ts';
import { secondFactorsPage, userFactorsPage } from '../../pages/console/second-factors.ts';
import type { Room, Visit } from '../room.ts';

const fresh = { fresh: true };

/** Second factors: who has to have one, and what is done for who lost theirs. */
export const secondFactors: Room = {
  menu: {
    path: '/second-factors',
    title: 'mfa.console.title',
    section: 'organization',
    right: 'account:read',
  },
  open(door) {
    door.get('/second-factors', 'account:read', async (visit) => {
      const { sql, account, now } = visit;
      const [settings, domains, breakGlass, factorless] = await Promise.all([
        settingsOf(sql, account.id),
        domainsWithDemand(sql, account.id),
        breakGlassOf(sql, account.id),
        factorlessOf(sql, account.id, now),
      ]);
      const stopped = new Map(factorless.domains.map(({ domain, people }) => [domain, people]));
      visit.show(
        secondFactorsPage({
          ...visit.page,
          policy: settings.secondFactor,
          stopped: factorless,
          domains: domains.map((one) => ({
            ...one,
            shown: domainForPeople(one.name),
            stopped: stopped.get(one.name) ?? 0,
          })),
          breakGlass,
          may: { policy: visit.may('account:rename'), domains: visit.may('domains:manage') },
        }),
      );
    });

    door.post(
      '/second-factors/policy',
      'account:rename',
      async (visit) => {
        const typed = visit.value('policy');
        const secondFactor = secondFactorPolicies.find((one) => one === typed) ?? null;
        await visit.act((work, { asking, account }) =>
          changeSettings(work, asking, account.id, { secondFactor }),
        );
        visit.done('/second-factors#everybody', visit.t('mfa.console.saved'));
      },
      fresh,
    );

    door.post(
      '/second-factors/domain',
      'domains:manage',
      async (visit) => {
        const required = visit.value('required') === 'yes';
        await visit.act((work, { asking, account }) =>
          demandFactorOfDomain(work, asking, account.id, visit.value('domain'), required),
        );
        visit.done('/second-factors#domains', visit.t('mfa.console.saved'));
      },
      fresh,
    );

    door.get('/users/:userId/second-factors', 'users:read', (visit) => showUser(visit));

    door.post(
      '/users/:userId/second-factors/reset',
      'users:reset_factors',
      async (visit) => {
        await visit.actOn(idIn(visit), (work, { asking, person }) =>
          resetFactors(work, asking, person),
        );
        visit.done(pathOf(visit), visit.t('mfa.console.reset_done'));
      },
      fresh,
    );

    door.post(
      '/users/:userId/second-factors/remove',
      'users:reset_factors',
      async (visit) => {
        await visit.actOn(idIn(visit), (work, { asking, person }) =>
          removeFactorOf(work, asking, person, visit.value('factor')),
        );
        visit.done(pathOf(visit), visit.t('mfa.console.removed'));
      },
      fresh,
    );

    door.post(
      '/users/:userId/second-factors/require',
      'users:require_factor',
      async (visit) => {
        const required = visit.value('required') === 'yes';
        await visit.actOn(idIn(visit), (work, { asking, person }) =>
          requireFactor(work, asking, person, required),
        );
        visit.done(pathOf(visit), visit.t('mfa.console.saved'));
      },
      fresh,
    );

    door.post(
      '/users/:userId/second-factors/break-glass',
      'users:break_glass',
      async (visit) => {
        const on = visit.value('on') === 'yes';
        await visit.actOn(idIn(visit), (work, { asking, account, person }) =>
          setBreakGlass(work, asking, person, account.id, on),
        );
        visit.done(pathOf(visit), visit.t('mfa.console.saved'));
      },
      fresh,
    );
  },
};

function idIn({ params }: Visit): string {
  return params['userId']!;
}

function pathOf(visit: Visit): string {
  return `/users/${idIn(visit)}/second-factors`;
}

async function showUser(visit: Visit): Promise<void> {
  const { sql, account, now, asking } = visit;
  const userId = idIn(visit);
  const user = await userOfAccount(sql, account.id, userId, now);
  const { factors, recoveryCodesLeft, ...rest } = await factorOverview(sql, userId);
  const beyond = rankOf(user.roles) > rankOf([asking.role]);
  const self = userId === visit.person.id;
  visit.show(
    userFactorsPage({
      ...visit.page,
      userId,
      name: `${user.givenName} ${user.familyName}`.trim() || (user.email ?? userId),
      factors,
      codesLeft: recoveryCodesLeft,
      ...rest,
      may: {
        reset: visit.may('users:reset_factors') && !beyond && !self,
        require: visit.may('users:require_factor') && !beyond,
        breakGlass:
          visit.may('users:break_glass') && !beyond && user.roles.includes('account_administrator'),
      },
    }),
  );
}
