import { type Html, html } from '#platform/html.ts';
import type { ConsoleFrame } from './frame.ts';
import { act } from './forms.ts';
import { facts, part } from './parts.ts';

/** Where signing out here signs out: here alone, or at the company's provider too. */
export function signOutPart(
  page: ConsoleFrame & {
    connection: { kind: 'oidc' | 'saml'; signOutUpstream: boolean };
    /** What an OpenID provider has to know for it; a SAML one reads it in our metadata. */
    signedOutUri: string;
    may: boolean;
  },
  base: string,
): Html {
  const { t, connection, signedOutUri, may } = page;
  const everywhere = connection.signOutUpstream;
  return part(
    t('rooms.connection.sign_out'),
    [
      html`<p>
        ${t(everywhere ? 'rooms.connection.sign_out_everywhere' : 'rooms.connection.sign_out_here')}
      </p>`,
      connection.kind === 'oidc' &&
        facts([[t('rooms.connection.signed_out_uri'), html`<code>${signedOutUri}</code>`]]),
      may &&
        html`<div class="actions">
          ${act(page, {
            action: `${base}/sign-out`,
            label: t(
              everywhere ? 'rooms.connection.sign_out_less' : 'rooms.connection.sign_out_more',
            ),
            values: { where: everywhere ? 'here' : 'everywhere' },
          })}
        </div>`,
    ],
    { id: 'sign-out' },
  );
}
