/** The signer process parses what it signs, and signs only files that a key is meant for. */
import { statSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canonicalJson, type PlainJson } from '../../../src/uptane/json/canonical-json.js';
import { generateKey } from '../../../src/uptane/signing/generate-key.js';
import { localSigner } from '../../../src/uptane/signing/local-signer.js';
import { SignerClient } from '../../../src/uptane/signing/process/signer-client.js';
import { SignerServer } from '../../../src/uptane/signing/process/signer-server.js';
import { signMetadata } from '../../../src/uptane/signing/sign.js';
import { type Signer } from '../../../src/uptane/signing/signer.js';
import { temporaryDirectory } from '../../support/servers.js';
import { must } from '../support/must.js';

const NOW = new Date('2026-11-27T08:00:00Z');
const socketPath = join(temporaryDirectory('signer'), 'socket');
const refusals: string[] = [];
const keys = (['timestamp', 'snapshot', 'director-targets', 'time'] as const).map((role) => ({
  signer: localSigner(generateKey('ed25519')),
  roles: [role],
}));
const options = { socketPath, keys, longestDays: 30, now: () => NOW };
let server = new SignerServer({ ...options, onRefusal: (reason) => refusals.push(reason) });
const client = new SignerClient(socketPath);
let signers: readonly (Signer & { roles: readonly string[] })[] = [];
const of = (role: string) => must(signers.find(({ roles }) => roles.includes(role)));

beforeAll(async () => {
  await server.start();
  signers = await client.signers();
});

afterAll(async () => {
  client.close();
  await server.stop();
});

const EXPIRES = '2026-12-10T00:00:00Z';
const SOUND: Record<string, Record<string, PlainJson>> = {
  timestamp: { _type: 'timestamp', expires: EXPIRES },
  snapshot: { _type: 'snapshot', expires: EXPIRES },
  'director-targets': { _type: 'targets', expires: EXPIRES, custom: { vin: '5YJSA1E40FF345678' } },
  time: { _type: 'time', time: '2026-11-27T08:00:30Z', nonces: [] },
};

describe('the signer', () => {
  test('is accessible only to its own user', () => {
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
  });

  test.each(Object.keys(SOUND))('signs only files of the role %s with its key', async (role) => {
    await signMetadata(must(SOUND[role]), [of(role)]);
    for (const [other, signed] of Object.entries(SOUND)) {
      if (other === role) continue;
      await expect(of(role).sign(canonicalJson(signed))).rejects.toThrow('this key does not sign');
    }
    const root = canonicalJson({ _type: 'root', expires: EXPIRES });
    await expect(of(role).sign(root)).rejects.toThrow('this key does not sign root');
  });

  test('answers concurrent requests, each with its own signature', async () => {
    const work = Array.from({ length: 200 }, (_, version) =>
      signMetadata({ ...SOUND.timestamp, version }, [of('timestamp')]),
    );
    expect(await Promise.all(work)).toHaveLength(200);
  });

  test.each([
    ['expires too late', 'timestamp', { expires: '2027-01-31T00:00:00Z' }, 'in more than 30 days'],
    ['never expires', 'snapshot', { expires: 'never' }, 'it does not expire'],
    ['names no vehicle', 'director-targets', { custom: {} }, 'it names no vehicle'],
    ['delegates', 'director-targets', { delegations: {} }, 'it delegates'],
    ['tells another time', 'time', { time: '2030-01-01T00:00:00Z' }, 'its time is not that of'],
  ])('refuses what %s', async (_what, role, change, fault) => {
    const message = canonicalJson({ ...must(SOUND[role]), ...change });
    await expect(of(role).sign(message)).rejects.toThrow(fault);
    expect(refusals.at(-1)).toContain(fault);
  });

  test('rejects bytes that are not canonical, or not JSON', async () => {
    const sign = (message: Uint8Array) => of('timestamp').sign(message);
    const spaced = Buffer.from(JSON.stringify(SOUND.timestamp, null, 1));
    await expect(sign(spaced)).rejects.toThrow('not canonical');
    await expect(sign(Buffer.from('[1]'))).rejects.toThrow('not a JSON object');
    await expect(sign(Buffer.from([0xff]))).rejects.toThrow('not valid UTF-8');
  });

  test('disconnects clients of another protocol', async () => {
    const stranger = connect(socketPath);
    stranger.write('GET / HTTP/1.1\r\n\r\n');
    await new Promise((resolve) => stranger.once('close', resolve));
  });

  test('cannot be started twice, and is found again after a restart', async () => {
    await expect(new SignerServer(options).start()).rejects.toThrow('another signer listens on');
    await server.stop();
    await expect(client.signers()).rejects.toThrow('no answer from the signer');
    server = new SignerServer(options);
    await server.start();
    expect(await client.signers()).toHaveLength(4);
  });
});

test.each([
  ['is no JSON', 'nonsense\n'],
  ['never ends', 'x'.repeat(9 * 1024 * 1024)],
])(
  'a signer whose answer %s is rejected, which affects only its connection',
  async (_what, answer) => {
    const path = join(temporaryDirectory('broken-signer'), 'socket');
    const broken = createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.write(answer));
    }).listen(path);
    await once(broken, 'listening');
    const own = new SignerClient(path);
    await expect(own.signers()).rejects.toThrow('no answer from the signer');
    own.close();
    broken.close();
  },
);
