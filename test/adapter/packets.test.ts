/** The broker's byte stream gives the same packets however the network cuts it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PacketReader, publishPacket } from '../../src/adapter/message-link/packets.js';
import { cases } from '../support/depth.js';

interface Read {
  readonly topic: string;
  readonly payload: string;
  readonly packetId: number;
  readonly repeated: boolean;
}

function readerOf() {
  const read: Read[] = [];
  const sources: Buffer[] = [];
  const reader = new PacketReader(5, {
    onPublish: (bytes, topicStart, topicEnd, payloadStart, end, packetId, _retained, repeated) => {
      sources.push(bytes);
      read.push({
        topic: bytes.toString('utf8', topicStart, topicEnd),
        payload: bytes.toString('latin1', payloadStart, end),
        packetId,
        repeated,
      });
    },
    onPuback: () => undefined,
    onOther: () => undefined,
  });
  return { reader, read, sources };
}

const message = (n: number, bytes: number): Read => ({
  topic: `d2c/${n}`,
  payload: 'x'.repeat(bytes),
  packetId: n + 1,
  repeated: false,
});
const wireOf = (messages: readonly Read[]) =>
  Buffer.concat(
    messages.map(({ topic, payload, packetId }) =>
      publishPacket(5, packetId, topic, Buffer.from(payload, 'latin1'), undefined),
    ),
  );

test('a stream cut at any places gives the same packets', () => {
  const sizes = fc.array(fc.oneof(fc.nat(3), fc.integer({ min: 100, max: 400 })), { maxLength: 8 });
  fc.assert(
    fc.property(sizes, fc.array(fc.nat(2_000), { maxLength: 12 }), (payloads, places) => {
      const messages = payloads.map((bytes, n) => message(n, bytes));
      const wire = wireOf(messages);
      const cuts = [...places.filter((at) => at <= wire.length), wire.length].sort((a, b) => a - b);
      const { reader, read } = readerOf();
      cuts.forEach((cut, n) => {
        const chunk = Buffer.from(wire.subarray(n === 0 ? 0 : cuts[n - 1], cut));
        reader.take(chunk);
        // The memory of a chunk is reused.
        chunk.fill(0);
      });
      expect(read).toEqual(messages);
    }),
    cases({ quick: 100, full: 5_000 }),
  );
});

test('a packet with the DUP flag is marked as repeated', () => {
  const wire = wireOf([message(0, 5), message(1, 5)]);
  // The DUP flag of the first packet (MQTT 3.1.1, 3.3.1.1).
  wire[0] = (wire[0] ?? 0) | 0b1000;
  const { reader, read } = readerOf();
  reader.take(wire);
  expect(read).toEqual([{ ...message(0, 5), repeated: true }, message(1, 5)]);
});

test('a stream that arrives byte by byte gives the same packets', () => {
  const messages = [message(0, 5), message(1, 0), message(2, 20_000), message(3, 1)];
  const { reader, read } = readerOf();
  for (const byte of wireOf(messages)) reader.take(Buffer.from([byte]));
  expect(read).toEqual(messages);
});

test('only a packet that was cut is copied', () => {
  const messages = [message(0, 50), message(1, 50), message(2, 50)];
  const wire = wireOf(messages);
  const [first, second] = [wire.subarray(0, 30), wire.subarray(30)];
  const { reader, read, sources } = readerOf();
  reader.take(first);
  reader.take(second);
  expect(read).toEqual(messages);
  expect(sources.map((bytes) => bytes === second)).toEqual([false, true, true]);
});
