/** Memory of a reading is read into again when nothing refers to it any more, and never before. */
import { expect, test } from 'vitest';
import { ReadingMemory } from '../../src/adapter/message-link/reading-memory.js';

const FULL = 60 * 1024;

test('memory is not read into while a message in it is held', () => {
  const memory = new ReadingMemory();
  const first = memory.next();
  const reading = memory.reading(first, FULL);
  reading.hold();
  reading.release();
  expect(memory.next()).not.toBe(first);
  reading.release();
  expect(memory.next()).toBe(first);
});

test('a reading is the memory itself, as long as what was read', () => {
  const memory = new ReadingMemory();
  const buffer = memory.next();
  const { bytes } = memory.reading(buffer, FULL);
  expect([bytes.buffer, bytes.length]).toEqual([buffer.buffer, FULL]);
});

test('a small reading is copied, and its memory is free at once', () => {
  const memory = new ReadingMemory();
  const buffer = memory.next();
  buffer.write('message');
  const { bytes } = memory.reading(buffer, 7);
  expect(memory.next()).toBe(buffer);
  buffer.fill(0);
  expect(bytes.toString()).toBe('message');
});

test('memory beyond a limit is not kept', () => {
  const memory = new ReadingMemory();
  const buffers = Array.from({ length: 100 }, () => memory.next());
  for (const reading of buffers.map((buffer) => memory.reading(buffer, FULL))) reading.release();
  const again = Array.from({ length: 100 }, () => memory.next());
  expect(again.filter((buffer) => buffers.includes(buffer))).toHaveLength(64);
});
