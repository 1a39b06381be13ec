/** Which MQTT version a broker is asked for: 5, and 3.1.1 only where it supports nothing else. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { generate, parser } from 'mqtt-packet';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BrokerDialler } from '../../../src/adapter/message-link/broker-dialler.js';
import { parseBrokerUrl } from '../../../src/contract/index.js';

/** How a broker answers CONNECT; a number is the code of its refusal. */
type Answer = 'accepts' | 'closes' | number;

describe('the MQTT version', () => {
  let server: Server;
  let answers: Answer[];
  let asked: number[];
  let dialler: BrokerDialler;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    asked = [];
    server = createServer((socket) => {
      sockets.push(socket);
      const packets = parser();
      packets.on('packet', (packet) => {
        if (packet.cmd !== 'connect') return;
        const protocolVersion = packet.protocolVersion ?? 0;
        asked.push(protocolVersion);
        const answer = answers.shift() ?? 'closes';
        if (answer === 'closes') {
          socket.destroy();
          return;
        }
        const code = answer === 'accepts' ? 0 : answer;
        const connack = { reasonCode: code, returnCode: code, sessionPresent: false } as const;
        socket.write(generate({ cmd: 'connack', ...connack }, { protocolVersion }));
      });
      socket.on('data', (chunk) => packets.parse(chunk));
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    dialler = new BrokerDialler({ url: parseBrokerUrl(`mqtt://127.0.0.1:${port}`), tls: {} });
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    server.close();
  });

  async function connect(): Promise<void> {
    const connection = await dialler.connect({
      clientId: 'version',
      clean: true,
      sessionExpirySeconds: 0,
      clock: Date.now,
      onMessage: () => undefined,
      backpressure: () => undefined,
      onClosed: () => undefined,
    });
    connection.destroy(new Error('the test goes on'));
  }

  test('a broker that closed the connection during the handshake is asked for MQTT 5 again', async () => {
    answers = ['closes', 'accepts', 'accepts'];
    await connect();
    await connect();
    expect(asked).toEqual([5, 4, 5]);
  });

  // The reason codes of MQTT 3.1.1 and MQTT 5.
  test.each([1, 132])('a refusal of the version with code %i is remembered', async (code) => {
    answers = [code, 'accepts', 'accepts'];
    await connect();
    await connect();
    expect(asked).toEqual([5, 4, 4]);
  });

  test('a broker that has accepted MQTT 5 is not asked for 3.1.1 when it closes a connection', async () => {
    answers = ['accepts', 'closes'];
    await connect();
    await expect(connect()).rejects.toThrow('the broker closed the connection');
    expect(asked).toEqual([5, 5]);
  });
});
