import { describe, expect, it } from 'vitest';
import { listCell, listIn } from '#identity/bulk/cells.ts';
import type { BulkKind } from '#identity/bulk/format.ts';
import { readFile } from '#identity/bulk/read-file.ts';
import { Refusal } from '#identity/refusal.ts';
import { csvRow, unguarded } from '#platform/csv.ts';
import { assert, constantFrom, property, string, uniqueArray } from 'fast-check';

const header = 'Email,FirstName,LastName,Country';
const ann = 'ann@acme.example,Ann,Archer,US';

function refused(kind: BulkKind, text: string): { code: string; message: string; details: object } {
  try {
    readFile(kind, text);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('it was read');
}

describe('a file', () => {
  it.each([
    ['commas', `${header}\r\n${ann}\r\n`],
    ['semicolons', 'Email;FirstName;LastName;Country\nann@acme.example;Ann;Archer;US'],
    ['tabs', 'Email\tFirstName\tLastName\tCountry\nann@acme.example\tAnn\tArcher\tUS\n\n'],
    ['a byte order mark', `\uFEFF${header}\n${ann}`],
    ['line ends of an old Mac', `${header}\r${ann}\r`],
    ['a header as spreadsheets write it', `e_mail (required),First Name,LAST NAME,country\n${ann}`],
    ['empty columns and lines at its end', `${header},,\n${ann},,\n,,,,,\n`],
    [
      'cells in quotation marks',
      `"Email","FirstName","LastName","Country"\n"ann@acme.example","Ann","Archer","US"`,
    ],
  ])('with %s is read', (_, text) => {
    const { rows } = readFile('add', text);
    expect(rows).toEqual([
      {
        cells: { Email: 'ann@acme.example', FirstName: 'Ann', LastName: 'Archer', Country: 'US' },
        problem: null,
      },
    ]);
  });

  it('that is no good says what is wrong with it', () => {
    expect(refused('add', '').details).toMatchObject({ problem: 'empty' });
    expect(refused('add', header).details).toMatchObject({ problem: 'no_rows' });
    expect(refused('add', 'PK\u0003\u0004\0\0').details).toMatchObject({ problem: 'not_text' });
    expect(refused('add', 'Email\na@b.example')).toMatchObject({
      code: 'invalid_file',
      details: { problem: 'missing_columns', columns: ['FirstName', 'LastName', 'Country'] },
    });
    const unknown = refused('add', `${header},Shoe size,Hat\n${ann},42,7`);
    expect(unknown.details).toEqual({ problem: 'unknown_columns', columns: ['Shoe size', 'Hat'] });
    expect(unknown.message).toContain('"Shoe size", "Hat"');
    expect(refused('delete', 'Email,e mail\na,b').details).toMatchObject({
      problem: 'duplicate_columns',
    });
    expect(refused('add', `${header}\n"ann,Ann`).details).toMatchObject({ problem: 'malformed' });
    expect(
      refused('delete', Array.from({ length: 10_000 }, (_, at) => `c${at}`).join(',')).details,
    ).toMatchObject({ problem: 'unknown_columns' });
  });

  it('may have a thousand rows, and not one more', () => {
    const rows = (count: number): string =>
      Array.from({ length: count }, (_, at) => `p${at}@acme.example`).join('\n');
    expect(readFile('delete', `Email\n${rows(1000)}`).rows).toHaveLength(1000);
    expect(refused('delete', `Email\n${rows(1001)}`).code).toBe('too_many_rows');
    expect(refused('delete', `Email\n${rows(100_000)}`).code).toBe('too_many_rows');
  });

  it('has rows that are no good while the others are', () => {
    const { rows } = readFile(
      'add',
      [
        header,
        ann,
        'ANN@acme.example,Anna,Archer,US',
        'bob@acme.example,Bob',
        'cleo@acme.example,Cleo,Smith,US,too,much',
        'dan@acme.example,"Dan\nDaniel",Smith,US',
        `eve@acme.example,${'E'.repeat(10_001)},Smith,US`,
        'fay@acme.example,\u202eFay,Smith,US',
        'gil@acme.example,Gil,Smith,US',
      ].join('\n'),
    );
    expect(rows.map(({ problem }) => problem && problem.code)).toEqual([
      null,
      'duplicate_in_file',
      'invalid_value',
      'invalid_value',
      'invalid_value',
      'invalid_value',
      'invalid_value',
      null,
    ]);
    expect(rows[1]!.problem!.message).toContain('Row 1');
    expect(rows[5]!.cells['FirstName']).toHaveLength(200);
  });

  it('of one enormous cell is refused', () => {
    expect(refused('add', `${header}\n"${'x'.repeat(1_900_000)}`).code).toBe('invalid_file');
  });
});

describe('a cell', () => {
  it('is read as it was written, and is no formula in between (D-73)', () => {
    assert(
      property(
        string({ unit: constantFrom('=', '+', '-', '@', "'", '"', '\t', ';', ',', 'a', ' ') }),
        (text) => {
          const row = csvRow([text]);
          expect(row).not.toMatch(/^"?[=+\-@\t]/);
          const [read, other] = readFile('delete', `Email\r\n${row}x@y.example`).rows;
          // A tab in the middle is no text, and only shown.
          const shown = read!.problem ? text.replaceAll('\t', ' ') : text;
          expect(other === undefined ? '' : read!.cells['Email']).toBe(shown.trim());
        },
      ),
    );
    expect(unguarded("'t Hooft")).toBe("'t Hooft");
  });

  it('may hold a list, whatever the names in it', () => {
    const name = string({
      unit: constantFrom('a', 'b', '+', '-', ';', '"', ' '),
      minLength: 1,
    }).map((text) => text.trim());
    assert(
      property(uniqueArray(name.filter(Boolean)), (names) => {
        expect(listIn('Groups', listCell(names))).toEqual({ set: names });
      }),
    );
    expect(listIn('Roles', '+x; -y ;+z')).toEqual({ add: ['x', 'z'], remove: ['y'] });
    expect(listIn('Groups', '"a;b";c')).toEqual({ set: ['a;b', 'c'] });
    expect(() => listIn('Roles', '+x;y')).toThrow(Refusal);
    expect(() => listIn('Roles', '"x')).toThrow(Refusal);
    expect(() => listIn('Roles', '+')).toThrow(Refusal);
  });
});
