/** The copy of the audit log in syslog: as the RFCs specify, and continued from its position after any failure. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verifyChain, openSealKey, type Signer } from '../../../src/service/chain/index.js';
import {
  AuditCopy,
  AuditSequencer,
  openSyslog,
  recordActions,
  syslogMessage,
} from '../../../src/service/audit/index.js';
import { type Database } from '../../../src/service/database/index.js';
import { eventually } from '../../support/adapter.js';
import { openTestDatabase } from '../../support/databases.js';

const RFC_5424 =
  /^<(\d{1,3})>1 (\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z) ([!-~]{1,255}) ([!-~]{1,48}) (\d+) ([!-~]{1,32}) - (.*)$/su;

/** A receiver of octet-counted frames that keeps them. */
class Receiver {
  readonly messages: string[] = [];
  #server: Server | undefined;
  #sockets = new Set<Socket>();
  #port = 0;

  async start(): Promise<void> {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      let bytes = Buffer.alloc(0);
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        bytes = Buffer.concat([bytes, chunk]);
        for (;;) {
          const space = bytes.indexOf(' ');
          const length = Number(bytes.subarray(0, space).toString());
          if (space < 0 || bytes.length < space + 1 + length) return;
          this.messages.push(bytes.subarray(space + 1, space + 1 + length).toString());
          bytes = bytes.subarray(space + 1 + length);
        }
      });
    });
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  get url(): string {
    return `tcp://127.0.0.1:${this.#port}`;
  }

  /** Messages with entries, in order of arrival, without repetitions. */
  get entries(): string[] {
    const texts = this.messages.map((message) => RFC_5424.exec(message)?.[7] ?? '');
    return [...new Set(texts)].filter((text) => text.includes('"position"'));
  }
}

let folder: string;
let database: Database;
let close: () => Promise<void>;
let signer: Signer;
let sequencer: AuditSequencer;
const receiver = new Receiver();
const failures: Error[] = [];
let behind = -1;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'otaops-syslog-'));
  ({ database, close } = await openTestDatabase());
  signer = await openSealKey(folder, undefined);
  sequencer = new AuditSequencer({ database, clock: Date.now, signer, onFailure: () => undefined });
  await receiver.start();
  failures.length = 0;
});
afterEach(async () => {
  await receiver.stop();
  receiver.messages.length = 0;
  await close();
  await rm(folder, { recursive: true });
});

const record = async (count: number) => {
  const by = { id: 't', name: 'Ada', reason: 'line\nbreak 😀' };
  await recordActions(
    database,
    'pause',
    Array.from({ length: count }, () => ({ vin: null, by, detail: {} })),
    Date.now(),
  );
  await sequencer.run();
};
function startCopy(url = receiver.url): AuditCopy {
  const copy = new AuditCopy({
    database,
    log: 'adapter',
    transport: openSyslog(url),
    onBehind: (entries) => (behind = entries),
    onFailure: (error) => failures.push(error),
  });
  copy.start();
  return copy;
}
const arrived = (count: number) =>
  eventually(
    () => Promise.resolve(receiver.entries.length),
    (length) => length >= count,
  );

describe('The copy in syslog', () => {
  it('has every entry as RFC 5424 specifies, a verifiable chain, and the seal', async () => {
    await record(450);
    const copy = startCopy();
    await arrived(450);
    await eventually(
      () => Promise.resolve(receiver.messages.length),
      (length) => length === 451,
    );
    await copy.stop();
    for (const message of receiver.messages) expect(message).toMatch(RFC_5424);
    expect(await verifyChain(receiver.entries)).toMatchObject({ intact: true, count: 450 });
    const [, priority, , , app, , kind, text = ''] =
      RFC_5424.exec(receiver.messages[450] ?? '') ?? [];
    expect([priority, app, kind]).toEqual(['110', 'otaops-adapter', 'seal']);
    expect(JSON.parse(text)).toMatchObject({ seal: { to: 450, keyid: signer.keyId } });
    await eventually(
      () => Promise.resolve(behind),
      (entries) => entries === 0,
    );
  });

  it('continues from its position after the receiver or the server was down', async () => {
    await record(10);
    let copy = startCopy();
    await arrived(10);
    await receiver.stop();
    // The action does not wait.
    await record(10);
    await eventually(
      () => Promise.resolve(failures.length),
      (length) => length > 0,
    );
    await eventually(
      () => Promise.resolve(behind),
      (entries) => entries === 10,
    );
    await copy.stop();
    await receiver.start();
    copy = startCopy();
    await arrived(20);
    await copy.stop();
    expect(await verifyChain(receiver.entries)).toMatchObject({ intact: true, count: 20 });
  });

  it('is sent by only one of several servers at a time', async () => {
    const copies = [startCopy(), startCopy(), startCopy()];
    for (let n = 0; n < 5; n += 1) await record(20);
    await arrived(100);
    await Promise.all(copies.map((copy) => copy.stop()));
    expect(receiver.messages.filter((message) => message.includes('"position"'))).toHaveLength(100);
  });

  it('can be sent over UDP too', async () => {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const first = once(socket, 'message') as Promise<[Buffer]>;
    await record(1);
    const copy = startCopy(`udp://127.0.0.1:${socket.address().port}`);
    const [message] = await first;
    await copy.stop();
    socket.close();
    expect(message.toString()).toMatch(RFC_5424);
  });
});

it('A message header has only allowed characters and lengths, whatever the input', () => {
  const message = syslogMessage(
    { at: 0, outcome: 'refused', kind: 'räude\n'.repeat(20), text: '{"a":"ä\\n"}' },
    { hostname: 'my host é', log: 'adapter', pid: 1, version: '1' },
  ).toString();
  expect(message).toMatch(RFC_5424);
  expect(message).toMatch(/^<108>1 1970-01-01T00:00:00\.000Z my\?host\?\? otaops-adapter 1 /);
});
