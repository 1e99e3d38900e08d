import { type Html, html } from '#platform/html.ts';
import { alert, hidden, named, notice, postForm } from '../form.ts';
import type { PageContext } from '../layout.ts';
import { card } from './card.ts';

export interface DomainProofPage extends PageContext {
  action: string;
  token: string;
  domain: string;
  account: string;
  claimant: string;
}

/** Asks whoever reads the mail of a domain whether it belongs to the organization that says so. */
export function domainProofPage(page: DomainProofPage): Html {
  const { t, csrf, action, token, domain, account, claimant } = page;
  return card(page, {
    title: t('domain_proof.title'),
    lead: t.parts('domain_proof.question', { domain: named(domain), account: named(account) }),
    body: html`
      <p>${t.parts('domain_proof.who', { claimant: named(claimant) })}</p>
      <p class="hint">${t('domain_proof.effect')}</p>
      ${postForm(
        { action, csrf },
        html`
          ${hidden('token', token)}
          <button class="primary" type="submit" name="answer" value="confirm">
            ${t('domain_proof.confirm')}
          </button>
          <button class="quiet" type="submit" name="answer" value="deny">
            ${t('domain_proof.deny')}
          </button>
        `,
      )}
    `,
  });
}

export interface DomainAnsweredPage extends PageContext {
  answer: 'confirm' | 'deny';
  domain: string;
  account: string;
}

export function domainAnsweredPage(page: DomainAnsweredPage): Html {
  const { t, answer, domain, account } = page;
  const values = { domain: named(domain), account: named(account) };
  return card(page, {
    title: t('domain_proof.answered'),
    body:
      answer === 'confirm'
        ? notice('success', t.parts('domain_proof.confirmed', values))
        : notice('info', t.parts('domain_proof.denied', values)),
  });
}

export function domainLinkInvalidPage(page: PageContext): Html {
  const { t } = page;
  return card(page, {
    title: t('domain_proof.invalid_title'),
    body: alert(t('domain_proof.invalid')),
    failed: true,
  });
}
