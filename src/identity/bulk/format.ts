import { byteOrderMark, csvRow } from '#platform/csv.ts';

/** What files can do, and what stands in them (behaviour.md section 9). */
export const bulkKinds = ['add', 'update', 'delete'] as const;
export type BulkKind = (typeof bulkKinds)[number];

/** How many people one file may be about. */
export const rowLimit = 1000;
/** How long a file may be, in bytes. */
export const fileLimit = 2 * 1024 * 1024;
/** The longest text in one place of it. */
export const cellLimit = 10_000;

interface Format {
  /** Whose row it is: no two rows may say the same here. */
  who: string;
  required: readonly string[];
  optional: readonly string[];
}

export const formats: Record<BulkKind, Format> = {
  add: {
    who: 'Email',
    required: ['Email', 'FirstName', 'LastName', 'Country'],
    optional: ['ProfileCountry', 'CommunicationEmail', 'Language', 'Roles', 'Groups'],
  },
  update: {
    who: 'CurrentEmail',
    required: ['CurrentEmail'],
    optional: [
      'NewEmail',
      'FirstName',
      'LastName',
      'CommunicationEmail',
      'ProfileCountry',
      'EntitlementCountry',
      'Language',
      'Roles',
      'Groups',
      'Locked',
      'LockNote',
    ],
  },
  delete: { who: 'Email', required: ['Email'], optional: [] },
};

export function columnsOf(kind: BulkKind): string[] {
  return [...formats[kind].required, ...formats[kind].optional];
}

/** What `export-compact` holds: what an update takes, but the note that goes with a new lock. */
export const compactColumns = columnsOf('update').filter((column) => column !== 'LockNote');

/** What is decided for all rows at once. */
export interface BulkOptions {
  /** Sends those who are added the mail by which they set a password. */
  sendInvitation: boolean;
  /** Adds people of the account's own domains who exist and belong nowhere. */
  addExisting: boolean;
  /** Invites people of other domains who exist and belong nowhere. */
  inviteExisting: boolean;
  /** Why people are locked, where a row does not say it. */
  note: string | null;
  /** Tells who started it, by mail, when it is done. */
  notify: boolean;
}

export const defaultOptions: BulkOptions = {
  sendInvitation: true,
  addExisting: false,
  inviteExisting: false,
  note: null,
  notify: true,
};

/** A row of a file, by the names of `formats`. A column that the file has not is not there. */
export type Cells = Readonly<Record<string, string>>;

/** A file of one kind as it is to be, for who has never written one. */
export function sampleFile(kind: BulkKind): string {
  const columns = columnsOf(kind);
  return byteOrderMark + csvRow(columns) + csvRow(columns.map((column) => sampleCells[column]));
}

const sampleCells: Record<string, string> = {
  Email: 'ann@acme.example',
  CurrentEmail: 'ann@acme.example',
  FirstName: 'Ann',
  LastName: 'Archer',
  Country: 'US',
  ProfileCountry: 'US',
  EntitlementCountry: 'US',
  Language: 'en',
};
