/** The journal: entries are whole or absent, compaction preserves the state, and a damaged journal is rejected. */
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FileJournal, type JournalEntry, PHASES, VehicleRecord } from '../../src/vehicle/index.js';
import { cases } from '../support/depth.js';
import { temporaryDirectory } from '../support/servers.js';

const trigger = (id: string): JournalEntry => ({
  kind: 'trigger',
  trigger: { messageId: id, refId: 'r', scriptRefId: 's' },
  ack: { messageId: `ack-${id}`, payload: '{}' },
  sendsAck: true,
});
const step = (id: string, n: number): JournalEntry => ({
  kind: 'step',
  update: id,
  phase: 'consent',
  facts: { since: n },
  messages: [{ messageId: `event-${n}`, payload: '{"umlaut":"ä"}' }],
  at: n,
});

const read = (path: string) => {
  const journal = new FileJournal(path);
  const entries = [...journal.read()];
  journal.close();
  return entries;
};

test('appended entries survive a restart', () => {
  const path = join(temporaryDirectory('journal'), 'deep', 'journal');
  const journal = new FileJournal(path);
  const entries = [
    trigger('a'),
    step('a', 1),
    { kind: 'delivered', messageId: 'ack-a', at: 5 } as const,
  ];
  for (const entry of entries) journal.append(entry);
  journal.close();
  expect(read(path)).toEqual(entries);
});

test('an entry torn by a power cut at any byte is dropped, and the next one is appended', () => {
  const path = join(temporaryDirectory('journal'), 'journal');
  const journal = new FileJournal(path);
  journal.append(trigger('a'));
  const whole = readFileSync(path).length;
  journal.append(step('a', 1));
  journal.close();
  const both = readFileSync(path);
  for (let length = whole; length < both.length; length++) {
    writeFileSync(path, both.subarray(0, length));
    expect(read(path)).toEqual([trigger('a')]);
    const again = new FileJournal(path);
    again.append(step('a', 2));
    again.close();
    expect(read(path)).toEqual([trigger('a'), step('a', 2)]);
  }
});

test('a last block with the right length but wrong bytes is dropped', () => {
  const path = join(temporaryDirectory('journal'), 'journal');
  const journal = new FileJournal(path);
  journal.append(trigger('a'));
  journal.append(step('a', 1));
  journal.close();
  const bytes = readFileSync(path);
  bytes[bytes.length - 5] = 0;
  writeFileSync(path, bytes);
  expect(read(path)).toEqual([trigger('a')]);
});

test('a journal damaged in the middle is rejected', () => {
  const path = join(temporaryDirectory('journal'), 'journal');
  const journal = new FileJournal(path);
  journal.append(trigger('a'));
  journal.append(step('a', 1));
  journal.close();
  const bytes = readFileSync(path);
  bytes[20] = 0;
  writeFileSync(path, bytes);
  expect(() => new FileJournal(path)).toThrow(/damaged at byte 0/);
  truncateSync(path, 0);
  appendFileSync(path, '');
  expect(read(path)).toEqual([]);
});

test('a long journal is compacted without changing the state', () => {
  const path = join(temporaryDirectory('journal'), 'journal');
  const journal = new FileJournal(path);
  const record = new VehicleRecord();
  const write = (entry: JournalEntry) => {
    journal.append(entry);
    record.apply(entry);
  };
  write(trigger('a'));
  for (let n = 0; !journal.isLong; n++) {
    write(step('a', n));
    if (n > 3) write({ kind: 'delivered', messageId: `event-${n - 3}`, at: n });
    if (n > 3) write({ kind: 'certain', before: n - 3 });
  }
  const long = readFileSync(path).length;
  journal.replace(record.entries());
  write(step('a', 1_000_000));
  journal.close();
  expect(readFileSync(path).length).toBeLessThan(long / 100);
  const after = new VehicleRecord();
  for (const entry of read(path)) after.apply(entry);
  expect(after).toEqual(record);
});

/** An arbitrary history of three triggers. */
const entryOf = fc.oneof(
  fc.constantFrom('a', 'b', 'c').map(trigger),
  fc.record({
    kind: fc.constant('step' as const),
    update: fc.constantFrom('a', 'b', 'c'),
    phase: fc.constantFrom(...PHASES, 'ended' as const),
    facts: fc.constantFrom({}, { since: 5 }, { since: null }, { paused: true }, { reason: 'x' }),
    messages: fc
      .array(fc.nat(30), { maxLength: 2 })
      .map((ids) => ids.map((id) => ({ messageId: `event-${id}`, payload: '{}' }))),
    at: fc.nat(1_000),
  }),
  fc.record({
    kind: fc.constant('delivered' as const),
    messageId: fc.nat(30).map((id) => `event-${id}`),
    at: fc.nat(1_000),
  }),
  fc.record({ kind: fc.constant('certain' as const), before: fc.nat(1_000) }),
  fc.record({ kind: fc.constant('repeat' as const), since: fc.nat(1_000) }),
);

test('for any history, the compacted journal gives the same state', () => {
  fc.assert(
    fc.property(fc.array(entryOf, { maxLength: 60 }), (entries) => {
      const record = new VehicleRecord();
      const seen = new Set<string>();
      for (const entry of entries) {
        // The agent processes each trigger once.
        if (entry.kind === 'trigger' && seen.has(entry.trigger.messageId)) continue;
        if (entry.kind === 'trigger') seen.add(entry.trigger.messageId);
        record.apply(entry);
      }
      const short = new VehicleRecord();
      for (const entry of record.entries()) {
        short.apply(JSON.parse(JSON.stringify(entry)) as JournalEntry);
      }
      expect(short.updates).toEqual(record.updates);
      expect([...short.updates.keys()]).toEqual([...record.updates.keys()]);
      expect([...short.waiting]).toEqual([...record.waiting]);
      expect([...short.uncertain]).toEqual([...record.uncertain]);
      expect(new Map([...short.acks].sort())).toEqual(new Map([...record.acks].sort()));
      expect(short.lastTime).toBe(record.lastTime);
    }),
    cases({ quick: 100, full: 500 }),
  );
});
