import { GENESIS, writeChainLine } from '../../../src/service/chain/index.js';

/** Records with characters and names in which canonical forms differ. */
export const RECORDS = [
  { id: 1, who: 'Ada "the first" \\ Lovelace', why: 'line\none\ttab \u0007 bell' },
  { id: 2, detail: { z: [1, -5, null, true], a: {}, '￿': 'x', '𝄞': 'beyond the BMP' } },
  { id: 3, 10: 'a name of digits', 9: 'sorted as text', __proto__x: 'y' },
];

/** The lines of a chain of records. */
export function chained(records: readonly Record<string, never>[] | typeof RECORDS): string[] {
  let previous = GENESIS;
  return records.map((record) => {
    const { line, hash } = writeChainLine(previous, record);
    previous = hash;
    return line;
  });
}
