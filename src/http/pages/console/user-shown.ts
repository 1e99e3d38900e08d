import type { MessageKey } from '#messages/translate.ts';
import { type ConsoleFrame } from './frame.ts';
import { type LockShown, type Named, type SourceShown, type StatusShown } from './people.ts';

export type SourceOfAttribute = 'directory' | 'identity_provider' | 'administrator' | 'person';

/** Why an address is sent nothing more. */
export type SuppressionShown = 'refused' | 'bounced' | 'complained';

/** What the page of a person shows. */
export interface UserPage extends ConsoleFrame {
  user: Named & {
    status: StatusShown;
    country: string | null;
    entitlementCountry: string | null;
    language: string | null;
    source: SourceShown;
    roles: readonly string[];
    groups: readonly { id: string; name: string }[];
    fulfillmentContact: boolean;
    lastLoginAt: Date | null;
    createdAt: Date;
  };
  details: {
    phone: string | null;
    jobTitle: string | null;
    communicationEmail: string | null;
    communicationWaits: boolean;
    emailVerifiedAt: Date | null;
    lastSeenAt: Date | null;
    entitlementPinned: boolean;
    breakGlass: boolean;
    passwordSetAt: Date | null;
    factors: readonly {
      id: string;
      kind: 'totp' | 'passkey';
      name: string;
      lastUsedAt: Date | null;
    }[];
    links: readonly { id: string; connection: string; subject: string; lastUsedAt: Date }[];
    affiliations: readonly { reason: string; beganAt: Date; endedAt: Date | null }[];
    terms: readonly { title: string; version: string; acceptedAt: Date }[];
    invitation: { sentAt: Date; expiresAt: Date } | null;
    manages: readonly { id: string; name: string }[];
    /** Why no mails are sent there. */
    suppressed: { reason: SuppressionShown; code: string | null; since: Date } | null;
  };
  /** Whose word each thing about the person is, where it is not their own. */
  authorities: readonly {
    attribute: string;
    source: SourceOfAttribute;
    name: string | null;
    since: Date | null;
  }[];
  locks: readonly (LockShown & {
    /** Whether the reader may lift it. */
    mine: boolean;
    lifters: 'administrators' | 'directory' | 'operator' | 'itself';
  })[];
  sessions: readonly {
    id: string;
    createdAt: Date;
    seenAt: Date;
    ip: string | null;
    device: string | null;
    clients: readonly string[];
    own: boolean;
  }[];
  events: readonly {
    id: number;
    at: Date;
    action: string;
    actor: { type: string; name: string | null };
    reference: string | null;
  }[];
  roles: readonly { key: string; name: string }[];
  actions: readonly { key: string; title: MessageKey }[];
  /** The person's role is higher than the reader's. */
  beyond: boolean;
  self: boolean;
  may: { sessions: boolean; audit: boolean; change: boolean };
}
