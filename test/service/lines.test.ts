/** Lines of an import are read as they arrive: neither valid nor faulty ones accumulate in memory. */
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { type Line, linesOf } from '../../src/service/lines.js';

async function linesIn(chunks: Iterable<string>): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const line of linesOf(Readable.from(chunks, { objectMode: false }), 'csv')) {
    lines.push(line);
  }
  return lines;
}

test('faulty lines of a CSV file are reported as it is read, and do not accumulate', async () => {
  let read = 0;
  let told = 0;
  let most = 0;
  function* faulty() {
    yield 'vin,system_id\n';
    for (; read < 10_000; read += 100) yield 'a"b"c,x"y\n'.repeat(100);
  }
  for await (const line of linesOf(Readable.from(faulty(), { highWaterMark: 1 }), 'csv')) {
    expect(line).toHaveProperty('error');
    told += 1;
    most = Math.max(most, read - told);
  }
  expect(told).toBe(10_000);
  expect(most).toBeLessThan(2_000);
});

test('records and faults have the right line numbers, wherever chunks are split', async () => {
  const text = 'vin,system_id\nA,1\n\nB,"2\n2"\nC"D,3\nE,4';
  const whole = await linesIn([text]);
  expect(whole.filter((line) => 'value' in line)).toEqual([
    { line: 2, value: { vin: 'A', system_id: '1' } },
    { line: 5, value: { vin: 'B', system_id: '2\n2' } },
    { line: 7, value: { vin: 'E', system_id: '4' } },
  ]);
  expect(whole.filter((line) => 'error' in line).map(({ line }) => line)).toEqual([6]);
  const sorted = (lines: Line[]) => [...lines].sort((a, b) => a.line - b.line);
  expect(sorted(await linesIn(text))).toEqual(sorted(whole));
});
