/** PostgreSQL reads back exactly the values written as an array literal. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { textArray } from '../../../src/service/database/index.js';
import { openTestDatabase } from '../../support/databases.js';

let opened: Awaited<ReturnType<typeof openTestDatabase>>;
beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened.close());

describe('an array of texts', () => {
  const ODD = [
    '',
    ' ',
    'NULL',
    'null',
    '{',
    '}',
    ',',
    '"',
    '\\',
    '\\"',
    '","',
    "'",
    '\n\t',
    'ü€😀',
    '$1',
  ];
  const cases: [string, (string | null)[]][] = [
    ['of none', []],
    ['of plain ones', ['a', 'b c', '1']],
    ['of odd ones', ODD],
    ['with a plain one before an odd one', ['a', '"']],
    ['with an odd one at each place in turn', ODD.flatMap((odd) => ['a', odd, 'b'])],
    ['of one empty text', ['']],
    ['of NULLs', [null, null]],
    ['of NULLs among odd ones', ODD.flatMap((odd) => [null, odd])],
  ];
  test.each(cases)('%s', async (_name, values) => {
    const rows = await opened.database.query<{ value: string | null }>(
      'select value from unnest($1::text[]) with ordinality as t (value, nr) order by nr',
      [textArray(values)],
    );
    expect(rows.map(({ value }) => value)).toEqual(values);
  });
});
