import { chained, RECORDS } from './records.js';
import { describe, expect, it } from 'vitest';
import {
  GENESIS,
  linkHash,
  verifyChain,
  writeChainLine,
} from '../../../src/service/chain/index.js';
import { sampleOf } from '../../support/depth.js';

describe('A hash chain', () => {
  it('has hashes that anyone can compute with SHA-256', () => {
    // printf '%064d\n{"a":1}' 0 | sha256sum
    expect(linkHash(GENESIS, { a: 1 })).toBe(
      'f21735afd2cd6af4fc5804b0045cebfd545aef8396d29d030c39cb8880b45b7f',
    );
  });

  it('is verified to its head', async () => {
    const lines = chained(RECORDS);
    expect(await verifyChain(lines)).toEqual({
      intact: true,
      count: 3,
      head: (JSON.parse(lines[2] ?? '') as { hash: string }).hash,
    });
    expect(await verifyChain([])).toEqual({ intact: true, count: 0, head: GENESIS });
  });

  it('shows a change of any single bit, at its line', async () => {
    const lines = chained(RECORDS);
    const missed: object[] = [];
    for (const [index, line] of lines.entries()) {
      const bytes = Buffer.from(line);
      for (const bit of sampleOf([...Array(bytes.length * 8).keys()], 3)) {
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const verdict = await verifyChain(lines.with(index, changed.toString('latin1')));
        const decoded = await verifyChain(lines.with(index, changed.toString()));
        for (const found of [verdict, decoded]) {
          if (found.intact || found.line !== index + 1 || found.count !== index) {
            missed.push({ index, bit, found });
          }
        }
      }
    }
    expect(missed).toEqual([]);
  });

  it.each([
    ['removed', (lines: string[]) => lines.toSpliced(1, 1), 2],
    ['repeated', (lines: string[]) => lines.toSpliced(1, 0, lines[0] ?? ''), 2],
    ['reordered', ([a = '', b = '', c = '']: string[]) => [a, c, b], 2],
    ['removed at the beginning', (lines: string[]) => lines.slice(1), 1],
    ['padded with white space', ([a = '', ...rest]: string[]) => [`${a} `, ...rest], 1],
    [
      'written with an escape',
      ([a = '', ...rest]: string[]) => [a.replace('A', '\\u0041'), ...rest],
      1,
    ],
    ['no JSON', (lines: string[]) => lines.with(2, 'end'), 3],
    ['a list', (lines: string[]) => lines.with(2, '[]'), 3],
    ['empty', (lines: string[]) => lines.with(1, ''), 2],
  ])('breaks if a line is %s', async (_what, attack, line) => {
    expect(await verifyChain(attack(chained(RECORDS)))).toMatchObject({ intact: false, line });
  });

  it('accepts no numbers that parsers read differently', async () => {
    expect(() => writeChainLine(GENESIS, { rate: 0.5 })).toThrow(/not an integer/);
    expect(() => writeChainLine(GENESIS, { text: '\ud800' })).toThrow(/half a surrogate/);
    const line = `{"a":1.0,"hash":"${GENESIS}"}`;
    expect(await verifyChain([line])).toMatchObject({ intact: false, reason: /not an integer/ });
  });

  it('can be verified from a known hash on', async () => {
    const [first = '', ...rest] = chained(RECORDS);
    const { hash } = JSON.parse(first) as { hash: string };
    expect(await verifyChain(rest, hash)).toMatchObject({ intact: true, count: 2 });
  });
});
