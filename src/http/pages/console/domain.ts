import type { MessageKey } from '#messages/translate.ts';
import { type Html, html } from '#platform/html.ts';
import { alert, named, postForm } from '../../form.ts';
import { consolePage, when, whenever, type ConsoleFrame } from './frame.ts';
import { questions } from './forms.ts';
import { confirmPage, facts, part } from './parts.ts';
import { belowPart, impactPart, signupPart } from './domain-people.ts';
import { checkPart, contestedPart, proofPart } from './domain-proof.ts';
import { domainBadge, hrefOf, stateTexts } from './domains.ts';
import type { DomainPage } from './domain-shown.ts';

/** One domain: what it is, what to publish, who is concerned, and how people come in. */
export function domainPage(page: DomainPage): Html {
  const { t, csrf, name, shown, state, actions, may, failure } = page;
  const base = hrefOf(name);
  const owned = state === 'owned' || state === 'at_risk' || state === 'lapsed';
  return consolePage(page, {
    title: shown,
    heading: named(shown),
    back: { href: '/console/domains', title: t('rooms.domains') },
    failed: failure !== undefined || Object.keys(page.errors).length > 0,
    main: [
      failure && alert(failure),
      // The answer to what was just asked comes first.
      page.findings && checkPart(page),
      part(
        t('console.status'),
        [
          html`<p>${domainBadge(page, state)} ${t(stateTexts[state])}</p>`,
          facts([
            [t('rooms.domain.proof'), page.proof && t(proofNames[page.proof])],
            [t('rooms.domain.claimed_at'), page.claimedAt && when(page, page.claimedAt)],
            [t('rooms.domain.owned_at'), page.ownedAt && when(page, page.ownedAt)],
            [t('rooms.domain.checked_at'), page.checkedAt && when(page, page.checkedAt)],
            [
              t('rooms.domain.expires_at'),
              !owned && page.expiresAt && whenever(page, page.expiresAt),
            ],
          ]),
          may &&
            state === 'listed' &&
            html`<p>
              <a
                class="button primary"
                href="${`/console/domains/claim?domain=${encodeURIComponent(name)}`}"
                >${t('rooms.domain.claim')}</a
              >
            </p>`,
        ],
        { id: 'status' },
      ),
      page.record && state !== 'owned' && proofPart(page, base),
      actions.includes('request_access') && may && contestedPart(page, base),
      owned && signupPart(page, base),
      owned && belowPart(page, base),
      (owned || state === 'pending' || state === 'contested') && impactPart(page, base),
      page.record && state === 'owned' && proofPart(page, base),
      may &&
        (actions.includes('release') || actions.includes('cancel_claim')) &&
        html`<p>
          <a class="button danger" href="${`${base}/release`}"
            >${t(owned ? 'rooms.domain.release' : 'rooms.domain.cancel_claim')}</a
          >
        </p>`,
      (page.operator.attest || page.operator.transfer) &&
        part(
          t('rooms.domain.operator'),
          postForm({ action: `${base}/operator`, csrf }, [
            questions(
              [
                {
                  kind: 'line',
                  name: 'reason',
                  label: t('rooms.reason'),
                  hint: t('rooms.reason_hint'),
                  value: page.typed.reason,
                },
              ],
              page.errors,
            ),
            html`<div class="actions">
              ${page.operator.attest && html`<button name="what" value="attest">${t('rooms.domain.attest')}</button>`}
              ${
                page.operator.transfer === 'announce' &&
                html`<button name="what" value="announce">${t('rooms.domain.transfer')}</button>`
              }
              ${
                page.operator.transfer === 'decide' && [
                  html`<button name="what" value="carry_out">
                    ${t('rooms.domain.transfer_do')}
                  </button>`,
                  html`<button name="what" value="stop">
                    ${t('rooms.domain.transfer_stop')}
                  </button>`,
                ]
              }
            </div>`,
          ]),
        ),
    ],
  });
}

const proofNames: Record<NonNullable<DomainPage['proof']>, MessageKey> = {
  dns: 'rooms.domain.method_dns',
  https: 'rooms.domain.method_https',
  email: 'rooms.domain.method_email',
  operator: 'rooms.domain.method_operator',
};

/** Before a domain is let go, or a claim given up. */
export function releasePage(
  page: ConsoleFrame & {
    name: string;
    shown: string;
    owned: boolean;
    counts: { members: number; waiting: number };
    error?: string | undefined;
  },
): Html {
  const { t, name, shown, owned, counts, error } = page;
  const title = t(owned ? 'rooms.domain.release' : 'rooms.domain.cancel_claim');
  return confirmPage(page, {
    title,
    heading: [title, ': ', named(shown)],
    back: { href: hrefOf(name), title: named(shown) },
    what: owned
      ? [
          html`<p>${t('rooms.domain.release_text', { members: counts.members })}</p>`,
          html`<p>${t('rooms.domain.release_waiting', { n: counts.waiting })}</p>`,
        ]
      : html`<p>${t('rooms.domain.cancel_text')}</p>`,
    action: `${hrefOf(name)}/release`,
    button: title,
    danger: true,
    error,
  });
}
