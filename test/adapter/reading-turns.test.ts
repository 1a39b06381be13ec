/** A flood of messages is read in turns with other work: answers from the database do not wait for its end. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { generate } from 'mqtt-packet';
import { afterEach, expect, test } from 'vitest';
import { BrokerDialler } from '../../src/adapter/message-link/broker-dialler.js';
import { parseBrokerUrl } from '../../src/contract/index.js';
import { eventually } from '../support/adapter.js';

const PAYLOAD = Buffer.alloc(1_000, '.');
const FLOOD = Buffer.concat(
  Array.from({ length: 4_000 }, () =>
    generate(
      { cmd: 'publish', topic: 'd2c/x', payload: PAYLOAD, qos: 0, dup: false, retain: false },
      { protocolVersion: 5 },
    ),
  ),
);

let broker: Server;
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  broker.close();
});

/** Accepts every connection, and reads nothing. */
async function acceptingBroker(): Promise<number> {
  broker = createServer((socket) => {
    sockets.push(socket);
    socket.once('data', () =>
      socket.write(
        generate(
          { cmd: 'connack', returnCode: 0, reasonCode: 0, sessionPresent: false },
          { protocolVersion: 5 },
        ),
      ),
    );
  });
  await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve));
  return (broker.address() as AddressInfo).port;
}

test('the link reads at most 512 KB of received data before it yields to other work', async () => {
  let turn = 0;
  const perTurn = new Map<number, number>();
  let hasRoom: () => void = () => undefined;
  let room: Promise<void> | undefined = new Promise((resolve) => (hasRoom = resolve));
  const url = parseBrokerUrl(`mqtt://127.0.0.1:${await acceptingBroker()}`);
  const connection = await new BrokerDialler({ url, tls: {} }).connect({
    clientId: 'c',
    clean: true,
    sessionExpirySeconds: 0,
    clock: Date.now,
    onMessage: () => perTurn.set(turn, (perTurn.get(turn) ?? 0) + 1),
    backpressure: () => room,
    onClosed: () => undefined,
  });
  const read = () => [...perTurn.values()].reduce((sum, messages) => sum + messages, 0);
  // The kernel's buffers are full before the link reads again.
  sockets[0]?.write(FLOOD);
  await sleep(100);
  expect(read()).toBeLessThan(1_000);
  room = undefined;
  hasRoom();
  while (read() < 4_000) {
    await nextTurn();
    turn += 1;
  }
  expect(Math.max(...perTurn.values())).toBeLessThanOrEqual(512);
  await connection.disconnect();
  await eventually(
    () => Promise.resolve(connection.isOpen),
    (isOpen) => !isOpen,
  );
});
