import type { Context } from 'koa';
import type { MessageKey, Translate } from '#messages/translate.ts';
import type { EgressAllowance } from '#platform/egress.ts';
import type { Html } from '#platform/html.ts';
import type { SamlVerifier } from '#platform/saml/verifier.ts';
import type { Database } from '#platform/database/database.ts';
import type { Value } from '#platform/i18n.ts';
import type { Asking, Capability } from '#identity/access/rights.ts';
import type { LookedAfter } from '#identity/access/standing.ts';
import type { ProofNetwork } from '#identity/domains/look-for-proof.ts';
import type { Connection } from '#identity/federation/connection.ts';
import type { Realm } from '#identity/federation/home-realm.ts';
import type { Pasted, PastedText } from '#identity/federation/simulate.ts';
import type { Refusal } from '#identity/refusal.ts';
import type { Recorder } from '#identity/scim/recorder.ts';
import type { Rehearse } from '#identity/scim/replay.ts';
import type { Person } from '#identity/users/person.ts';
import type { Foundation, Work } from '#identity/work.ts';
import type { Cursor } from '../cursor.ts';
import type { Tone } from '../form.ts';
import type { ConsoleFrame } from '../pages/console/frame.ts';

/**
 * THE CONSOLE (behaviour.md section 7, contract.md section 3)
 *
 *     request -> signed in? -> with which role may they? (403) -> csrf -> handler
 *                                                                  -> page, or done (303)
 *
 * A room is one task's pages. To add one: a file in `rooms`, and a line in `rooms.ts`. Its texts are
 * in `messages/<language>/console.json`, its markup in `pages/console`.
 *
 * What a room changes it changes by a rule of `identity`, within `visit.act`, which asks there and
 * then whether this person may. A rule that refuses is told in the reader's language; a room that
 * wants to tell it beside a field catches the `Refusal` and asks `visit.reason`.
 */
export interface Room {
  /** Left out for rooms that are found through others. */
  menu?: MenuEntry;
  open(door: Door): void;
}

export interface MenuEntry {
  /** Below `/console`. */
  path: string;
  title: MessageKey;
  section: Section;
  /** Shown to whoever has it. */
  right: Capability;
  /** And not to whoever has this one: there is another room for them. */
  unless?: Capability;
  /** About the whole installation: an operator needs no account for it. */
  everywhere?: boolean;
  count?(account: LookedAfter): number;
}

/** In their order in the menu. */
export const sections = {
  start: null,
  people: 'console.menu.people',
  organization: 'console.menu.organization',
  installation: 'console.menu.installation',
} as const satisfies Record<string, MessageKey | null>;
export type Section = keyof typeof sections;

type Handler = (visit: Visit) => Promise<void> | void;

export interface Door {
  /** @param path below `/console`. An `:…Id` in it has the form of an id, or there is nothing. */
  get(path: string, right: Capability, handler: Handler, options?: { fresh?: boolean }): void;
  /** Whoever comes back to it from a sign-in is sent to the page of that path, or of the one above. */
  post(
    path: string,
    right: Capability,
    handler: Handler,
    options?: {
      fresh?: boolean;
      repeated?: readonly string[];
      /** There is a file in the form, of so many bytes at most; its text stands among the fields. */
      upload?: number;
      /** Bytes of the form at most, where it holds more than a few short fields. */
      limit?: number;
    },
  ): void;
}

/** What rooms need beside the database. */
export interface ConsoleTools {
  foundation: Foundation;
  egress: EgressAllowance;
  proofs: ProofNetwork;
  saml: SamlVerifier;
  /** What directories sent, and how it is asked again. */
  directories: Recorder & { rehearse: Rehearse };
  /** Connections to companies' own identity providers, as they are set up. */
  federation: {
    /** @throws {Refusal} `provider_unreachable` */
    look(connection: Connection): Promise<void>;
    /** @throws {Refusal} `invalid_value`, which says why what was pasted is not read */
    read(realm: Realm, pasted: PastedText): Promise<Pasted>;
    /** A link for a test sign-in. */
    testLink(connectionId: string): { url: string; expiresAt: Date };
  };
  addressMark(email: string): string;
  clientProblem(id: string, name: string, metadata: Record<string, unknown>): string | null;
  /** Tells every process what was committed. */
  announce: Record<'clients_changed' | 'keys_changed', () => Promise<void>>;
}

/** One request of somebody who may make it. */
export interface Visit {
  readonly ctx: Context;
  readonly tools: ConsoleTools;
  /** For reading: a statement at a time, outside any transaction. */
  readonly sql: Database;
  readonly now: Date;
  readonly t: Translate;
  readonly person: Person;
  /** The session of this browser. */
  readonly session: string;
  /** With which of their roles this was asked for. */
  readonly asking: Asking;
  /** The account it is about. An operator who has chosen none is sent to choose one. */
  readonly account: LookedAfter;
  /** What stands in the path. */
  readonly params: Readonly<Record<string, string>>;
  /** The fields of a form; empty on GET. Repeated ones are joined by line breaks. */
  readonly form: Readonly<Record<string, string>>;
  /** What pages are made with. */
  readonly page: ConsoleFrame;

  /** From the form, or from the address where one came back to fill it in again. Trimmed. */
  value(name: string): string;
  /** The values of a field that may come several times. */
  values(name: string): string[];
  /** Whether this person could be asked at all: for showing what they can do. */
  may(capability: Capability): boolean;
  /**
   * Where a list goes on: `scope` is what the list is and how it is narrowed. Where it is narrowed
   * otherwise than it was, it begins anew.
   */
  cursor(scope: unknown): Cursor;

  /**
   * Changes something in the account, in one transaction, after asking there who may.
   *
   * @throws {Refusal} `permission_denied`, `account_on_hold` and what `command` throws
   */
  act<T>(command: (work: Work, asked: Asked) => Promise<T>, options?: ActOptions): Promise<T>;
  /** The same, to one person of the account. @throws {Refusal} `user_not_found` and others */
  actOn<T>(
    userId: string,
    command: (work: Work, asked: Asked & { person: Person }) => Promise<T>,
    options?: ActOptions & { former?: boolean },
  ): Promise<T>;
  /** Why it would be refused, or null: it is done and not kept. */
  rehearse(
    userId: string,
    command: (work: Work, asked: Asked & { person: Person }) => Promise<unknown>,
    options?: { former?: boolean },
  ): Promise<Refusal | null>;
  /** The same, where no account is concerned. */
  operate<T>(command: (work: Work, asked: { asking: Asking }) => Promise<T>): Promise<T>;

  show(page: Html, status?: number): void;
  /** Leads to a page of the console, which tells what was done. A `#part` of it gets the focus. */
  done(path: string, text?: string, options?: { undo?: Undo | undefined; tone?: Tone }): void;
  /** A refusal in the reader's language. */
  reason(refusal: Refusal): string;
  say(key: MessageKey, values?: Record<string, Value>): string;
}

export interface Asked {
  account: LookedAfter;
  asking: Asking;
}

export interface ActOptions {
  /** With another right than the one of the address. */
  right?: Capability;
  /** Several changes that belong together carry one id in the audit log. */
  batchId?: string;
}

export interface Undo {
  /** Below `/console`. */
  action: string;
  label: string;
  fields: Record<string, string>;
}
