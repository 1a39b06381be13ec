/** The memory of a reading is reused once nothing refers to it any more, and never before. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Reading, ReadingMemory } from '../../src/adapter/message-link/reading-memory.js';
import { cases } from '../support/depth.js';

/** A socket: it asks for the next memory once a reading is handled, and fills it at any later time. */
class Source {
  readonly memory = new ReadingMemory();
  readonly seen = new Set<ArrayBufferLike>();
  #next = this.#ask();

  #ask(): Buffer {
    const next = this.memory.next();
    this.seen.add(next.buffer);
    return next;
  }

  /** @param deal handles the reading before the next memory is requested */
  read(bytes: number, value: number, deal: (reading: Reading) => void = () => undefined): Reading {
    const filled = Math.min(bytes, this.#next.length);
    this.#next.fill(value, 0, filled);
    const reading = this.memory.reading(filled);
    deal(reading);
    this.#next = this.#ask();
    return reading;
  }
}

test('held readings never change, in whatever order they are read and released', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ read: fc.oneof(fc.nat(300), fc.nat(300_000)) }) },
    { weight: 2, arbitrary: fc.record({ release: fc.nat() }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const source = new Source();
      const held: { reading: Reading; value: number }[] = [];
      steps.forEach((step, index) => {
        if ('read' in step) {
          const value = index % 251;
          held.push({ reading: source.read(step.read + 1, value), value });
        } else if (held.length > 0) {
          held.splice(step.release % held.length, 1)[0]?.reading.release();
        }
        for (const { reading, value } of held) {
          const { bytes } = reading;
          expect(bytes.length > 0 && bytes.every((byte) => byte === value)).toBe(true);
        }
      });
    }),
    cases({ quick: 30, full: 300 }),
  );
});

test('a message can hold the memory of a reading after its release', () => {
  const source = new Source();
  const reading = source.read(7, 1, (taken) => {
    taken.hold();
    taken.release();
  });
  source.read(7, 2);
  expect([...reading.bytes]).toEqual([1, 1, 1, 1, 1, 1, 1]);
});

test('readings released at once reuse their memory; a few that wait for their commit need little more', () => {
  const source = new Source();
  for (let n = 0; n < 1000; n += 1) source.read(60_000, n, (reading) => reading.release());
  expect(source.seen.size).toBe(1);
  const waiting: Reading[] = [];
  for (let n = 0; n < 1000; n += 1) {
    waiting.push(source.read(60_000, n));
    if (waiting.length > 20) waiting.shift()?.release();
  }
  expect(source.seen.size).toBeLessThan(9);
});

test('small readings share memory: a few messages do not occupy memory for a hundred', () => {
  const source = new Source();
  const held = Array.from({ length: 1000 }, (_, n) => source.read(200, n));
  expect(held).toHaveLength(1000);
  expect(source.seen.size).toBe(1);
});

test('memory beyond a limit is not kept', () => {
  const source = new Source();
  const fill = () => Array.from({ length: 100 }, (_, n) => source.read(256 * 1024, n));
  for (const reading of fill()) reading.release();
  const before = source.seen.size;
  fill();
  expect(source.seen.size - before).toBeGreaterThan(80);
});
