import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { named, select } from '../../form.ts';
import { consolePage, type ConsoleFrame } from './frame.ts';
import { facts, filters, part, searchField, table } from './parts.ts';
import { lockTexts, type LockReasonShown } from './people.ts';

export interface ExplainPage extends ConsoleFrame {
  /** What was typed. */
  address: string;
  client: string;
  clients: readonly (readonly [id: string, name: string])[];
  error?: string | undefined;
  said: {
    email: string | null;
    standing: string;
    person: {
      id: string;
      /** Whether there is a page about them here. */
      here: boolean;
      affiliation: string;
      locks: readonly LockReasonShown[];
      outstandingTerms: number;
    } | null;
    signIn: { access: 'allow' | 'deny' | 'interact'; reason: string | null } | null;
    /** Doors that say the same, together. */
    doors: readonly { doors: readonly string[]; good: boolean; text: string; resolver: string }[];
  } | null;
}

/** What would happen to an address at every door, and who can change it. */
export function explainPage(page: ExplainPage): Html {
  const { t, address, client, clients, said, error } = page;
  return consolePage(page, {
    title: t('rooms.explain'),
    lead: t('rooms.explain.lead'),
    failed: error !== undefined,
    main: [
      filters(
        page,
        'said',
        [
          searchField({
            name: 'email',
            label: t('rooms.email'),
            type: 'email',
            value: address,
            error,
            optional: false,
          }),
          clients.length > 0 &&
            select({
              name: 'client',
              label: t('rooms.explain.client'),
              value: client,
              options: [['', t('rooms.explain.any')], ...clients],
            }),
        ],
        html`<button class="primary" type="submit">${t('rooms.explain.ask')}</button>`,
      ),
      html`<div id="said" class="stack" role="status">${said && answer(page, said)}</div>`,
    ],
  });
}

function answer(page: ExplainPage, said: NonNullable<ExplainPage['said']>): Child {
  const { t } = page;
  const { person, signIn, doors, standing } = said;
  return [
    part(
      named(said.email ?? page.address),
      [
        facts([
          [t('rooms.domain'), t(standings[standing] ?? 'rooms.standing.free')],
          [
            t('rooms.explain.person'),
            person
              ? [
                  t(affiliations[person.affiliation] ?? 'rooms.person.none'),
                  person.locks.map(
                    (lock) => html` <span class="badge danger">${t(lockTexts[lock])}</span>`,
                  ),
                ]
              : t('rooms.explain.unknown'),
          ],
          [t('rooms.dashboard.sign_ins'), signIn && t(signInText(signIn))],
        ]),
        person?.here &&
          html`<p>
            <a class="button" href="${`/console/users/${person.id}`}">${t('rooms.explain.show')}</a>
          </p>`,
      ],
      { id: 'person' },
    ),
    html`<div class="list">
      ${table({
        caption: t('rooms.explain.doors'),
        rows: doors,
        columns: [
          {
            title: t('rooms.explain.when'),
            cell: (one) =>
              html`<ul class="plain">
                ${one.doors.map((door) => html`<li>${t(doorNames[door] ?? 'rooms.door.admin_add')}</li>`)}
              </ul>`,
          },
          {
            title: t('rooms.explain.then'),
            cell: ({ text, good, resolver }) => [
              html`<span class="badge ${good ? 'success' : 'warning'}"
                  >${t(good ? 'rooms.yes' : 'rooms.no')}</span
                >
                ${text}`,
              resolvers[resolver] &&
                html`<span class="hint"
                  >${t('rooms.explain.who')}: ${t(resolvers[resolver])}</span
                >`,
            ],
          },
        ],
      })}
    </div>`,
  ];
}

const standings: Record<string, MessageKey> = {
  mine: 'rooms.standing.mine',
  mine_federated: 'rooms.standing.federated',
  mine_lapsed: 'rooms.standing.lapsed',
  mine_pending: 'rooms.standing.pending',
  other: 'rooms.standing.other',
  public: 'rooms.standing.public',
  free: 'rooms.standing.free',
};

const affiliations: Record<string, MessageKey> = {
  none: 'rooms.person.none',
  pending: 'rooms.person.pending',
  provisional: 'rooms.person.provisional',
  member: 'rooms.person.member',
};

const doorNames: Record<string, MessageKey> = {
  discovery: 'rooms.door.discovery',
  registration: 'rooms.door.registration',
  settling: 'rooms.door.settling',
  admin_add: 'rooms.door.admin_add',
  bulk_add: 'rooms.door.bulk_add',
  invite: 'rooms.door.invite',
  invitation_acceptance: 'rooms.door.acceptance',
  approval: 'rooms.door.approval',
  scim_create: 'rooms.door.scim_create',
  scim_rename: 'rooms.door.scim_rename',
  just_in_time: 'rooms.door.jit',
  email_change: 'rooms.door.email_change',
};

const resolvers: Partial<Record<string, MessageKey>> = {
  person: 'rooms.resolver.person',
  account_administrator: 'rooms.resolver.administrator',
  other_account: 'rooms.resolver.other',
  operator: 'rooms.resolver.operator',
  directory: 'rooms.resolver.directory',
};

const denials: Record<string, MessageKey> = {
  unknown: 'rooms.explain.unknown',
  unverified: 'rooms.denial.unverified',
  account_on_hold: 'rooms.denial.on_hold',
  account_closed: 'rooms.denial.closed',
  pending: 'rooms.person.pending',
  unaffiliated: 'rooms.denial.unaffiliated',
  not_permitted: 'rooms.denial.not_permitted',
};

function signInText({ access, reason }: { access: string; reason: string | null }): MessageKey {
  if (access === 'allow') return 'rooms.denial.none';
  if (access === 'interact') return 'rooms.denial.terms';
  return denials[reason ?? ''] ?? 'rooms.denial.locked';
}
