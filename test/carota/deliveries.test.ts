/** Suppliers deliver over HTTP: what their signatures authorise along the delegations, and nothing else. */
import { execFile, execFileSync } from 'node:child_process';
import { createHash, createPublicKey } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FolderFiles } from '../../src/uptane/repository/folder-files.js';
import { readDelivery } from '../../src/uptane/repository/delivery.js';
import { ImageRepository } from '../../src/uptane/repository/repository.js';
import { type DelegationContent } from '../../src/uptane/repository/targets-content.js';
import { generateKey, writeKeyFile } from '../../src/uptane/signing/key-file.js';
import { listedKeyOf } from '../../src/uptane/signing/listed-key.js';
import { localSigner } from '../../src/uptane/signing/local-signer.js';
import { signMetadata, type WrittenEnvelope } from '../../src/uptane/signing/sign.js';
import { keyIdOfListed, type Signer } from '../../src/uptane/signing/signer.js';
import { runCommand } from '../support/run-command.js';
import { temporaryDirectory } from '../support/servers.js';
import { days, makeSigner, type TestCeremony, TestClient } from '../uptane/repository/support.js';
import { must } from '../uptane/support/must.js';
import { startSupplierServer, type SupplierServer } from './support/supplier-server.js';
import { type TestCarota } from './support/test-carota.js';

const radio = [makeSigner(), makeSigner(), makeSigner()] as const;
const brakes = makeSigner();
const laboratory = makeSigner();
const cliKey = generateKey('ecdsa');
const cli = localSigner(cliKey);
const roleOf = (name: string, signers: readonly Signer[], threshold: number) => ({
  name,
  keyIds: signers.map(({ keyId }) => keyId),
  threshold,
});
const one = (
  name: string,
  signers: readonly Signer[],
  paths: string[],
  more: Partial<DelegationContent> & { readonly threshold?: number } = {},
): DelegationContent => {
  const { threshold = 1, ...rest } = more;
  return {
    roles: [roleOf(name, signers, threshold)],
    minRolesInAgreement: undefined,
    paths,
    isTerminating: false,
    hardwareIds: undefined,
    ...rest,
  };
};

/** A supplier that has OpenSSL, curl and nothing of ours: its key never leaves its file. */
const foreign = openSslSupplier(temporaryDirectory('foreign-supplier'));

function openSslSupplier(folder: string) {
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  openssl('genpkey', '-algorithm', 'ed25519', '-out', at('key.pem'));
  openssl('pkey', '-in', at('key.pem'), '-pubout', '-out', at('pub.pem'));
  const sign = (message: Uint8Array) => {
    writeFileSync(at('message'), message);
    openssl(
      'pkeyutl',
      '-sign',
      '-rawin',
      '-inkey',
      at('key.pem'),
      '-in',
      at('message'),
      '-out',
      at('sig'),
    );
    return readFileSync(at('sig'));
  };
  const key = listedKeyOf(createPublicKey(readFileSync(at('pub.pem'))));
  const signer: Signer = { key, keyId: keyIdOfListed(key), sign: async (message) => sign(message) };
  return { at, sign, signer };
}

/** As any tool would write it: sorted by name, no blanks. Enough for what has no escapes. */
const sorted = (value: any): any =>
  value === null || typeof value !== 'object' || Array.isArray(value)
    ? value
    : Object.fromEntries(
        Object.keys(value)
          .sort()
          .map((name) => [name, sorted(value[name])]),
      );

let server: SupplierServer;
let ceremony: TestCeremony;
let t: TestCarota;
let supplier: string;

beforeAll(async () => {
  const delegations = [
    // Before the radio supplier's own, for some of its paths.
    one('brakes', [brakes], ['brakes/*', 'radio/shared*']),
    one('cli', [cli], ['cli/*']),
    one('foreign', [foreign.signer], ['foreign/*']),
    one('locked', [brakes], ['radio/locked*'], { isTerminating: true }),
    one('radio', radio, ['radio/*'], { threshold: 2, hardwareIds: ['hw-a', 'hw-b'] }),
    {
      ...one('first', [laboratory], ['agreed/*']),
      roles: [roleOf('first', [laboratory], 1), roleOf('second', [brakes], 1)],
      minRolesInAgreement: 2,
    },
  ];
  const keys = [...radio, brakes, laboratory, cli, foreign.signer].map(({ key }) => key);
  server = await startSupplierServer(delegations, keys, async (ceremony) => {
    await ceremony.sign(...radio.slice(0, 2), brakes, laboratory, cli);
    await ceremony.signRoles(foreign.signer);
  });
  ({ ceremony, carota: t, token: supplier } = server);
});
afterAll(async () => server.stop());

type Listed = Readonly<
  Record<string, { readonly content: string; readonly hw?: string[]; readonly rc?: number }>
>;

const targetsOf = (listed: Listed) =>
  Object.fromEntries(
    Object.entries(listed).map(([path, { content, hw = ['hw-a'], rc = 1 }]) => {
      const digest = (name: string) => createHash(name).update(content).digest('hex');
      return [
        path,
        {
          length: Buffer.byteLength(content),
          hashes: { sha256: digest('sha256'), sha512: digest('sha512') },
          custom: { match: { hardwareIds: hw, releaseCounter: rc } },
        },
      ];
    }),
  );

const signedPart = (version: number, listed: Listed, changes: object = {}) => ({
  _type: 'targets',
  spec_version: '1.0.31',
  version,
  expires: `${days(30, new Date()).toISOString().slice(0, 19)}Z`,
  targets: targetsOf(listed),
  ...changes,
});

const versionOf = async (role: string): Promise<number> =>
  (await ceremony.repository.status(new Date())).published.find((file) => file.role === role)
    ?.version ?? 0;

/** A file of the next version, signed by two of the radio supplier's keys. */
const radioFile = async (
  listed: Listed,
  { version, signers = radio.slice(0, 2), ...changes }: any = {},
): Promise<WrittenEnvelope> =>
  signMetadata(
    signedPart(version ?? (await versionOf('radio')) + 1, listed, changes),
    signers as Signer[],
  );

const deliver = (roles: Record<string, unknown>, token = supplier) =>
  t.call('POST', '/v1.0/image-repository/deliveries', { token, body: { roles } });

const send = (content: string, bytes = content, token = supplier) => {
  const sha256 = createHash('sha256').update(content).digest('hex');
  return t.call('PUT', `/v1.0/image-repository/images/${sha256}`, {
    token,
    headers: { 'content-type': 'application/octet-stream' },
    body: Buffer.from(bytes),
  });
};

/** Delivers, uploads what is missing, and delivers again. */
async function deliverAll(roles: Record<string, WrittenEnvelope>, contents: string[]) {
  expect((await deliver(roles)).body).toMatchObject({ state: 'incomplete' });
  for (const content of contents) expect((await send(content)).status).toBe(204);
  const { body } = await deliver(roles);
  expect(body).toMatchObject({ state: 'published', missing: [] });
}

const found = (path: string) =>
  TestClient.ofFolder(ceremony.folder).find(ceremony.folder, path, new Date());

const files = () => readdirSync(join(ceremony.folder, 'metadata')).sort();

/** It is refused, with this fault, and nothing has changed. */
async function expectRefused(roles: Record<string, unknown>, fault: RegExp): Promise<void> {
  const before = files();
  const { status, body } = await deliver(roles);
  expect([status, body.errorCode]).toEqual([409, 'DELIVERY_REFUSED']);
  expect(body.errors.map(({ message }: any) => message).join('\n')).toMatch(fault);
  expect(files()).toEqual(before);
}

test('metadata signed by the supplier and its image are published as they are', async () => {
  const file = await radioFile({ 'radio/fw.bin': { content: 'radio 1' } });
  const { status, body } = await deliver({ radio: file });
  const sha256 = createHash('sha256').update('radio 1').digest('hex');
  expect(status).toBe(200);
  expect(body).toEqual({
    state: 'incomplete',
    roles: [{ role: 'radio', version: 2 }],
    missing: [{ role: 'radio', path: 'radio/fw.bin', sha256, length: 7 }],
  });
  // Not yet: its image is not here.
  expect(await found('radio/fw.bin')).toBeUndefined();
  await deliverAll({ radio: file }, ['radio 1']);
  expect(await found('radio/fw.bin')).toBe('radio');
  const published = JSON.parse(
    readFileSync(join(ceremony.folder, 'metadata', '2.radio.json'), 'utf8'),
  );
  expect(published).toEqual(file);
  const image = await fetch(`${t.carota.httpUrl}/uptane/image/targets/radio/${sha256}.fw.bin`, {
    headers: { 'authorization-token': t.token },
  });
  expect(await image.text()).toBe('radio 1');
  // Again it changes nothing.
  const before = files();
  expect((await deliver({ radio: file })).body).toMatchObject({ state: 'published', missing: [] });
  expect(files()).toEqual(before);
  const { body: audit } = await t.call('GET', '/v1.0/audit');
  expect(audit.items[0]).toMatchObject({
    action: 'deliver',
    tokenName: 'radio ltd',
    vin: null,
    detail: { state: 'published', roles: [{ role: 'radio', version: 2 }] },
  });
});

test('a supplier with OpenSSL and curl', async () => {
  const { at, sign, signer: own } = foreign;
  const signed = signedPart(2, { 'foreign/fw.bin': { content: 'foreign' } });
  const sig = sign(Buffer.from(JSON.stringify(sorted(signed)))).toString('hex');
  const file = { signed, signatures: [{ sig, keyid: own.keyId }] };
  writeFileSync(at('delivery.json'), JSON.stringify({ roles: { foreign: file } }, null, 3));
  writeFileSync(at('fw.bin'), 'foreign');
  const url = `${t.carota.httpUrl}/v1.0/image-repository`;
  // In another process, while this one serves.
  const curl = async (...args: string[]) =>
    (
      await promisify(execFile)('curl', [
        ...['-sS', '--fail-with-body', '-H', `authorization-token: ${supplier}`],
        ...args,
      ])
    ).stdout;
  const post = async () => {
    const type = 'content-type: application/json';
    const body = `@${at('delivery.json')}`;
    return JSON.parse(await curl('-H', type, '--data-binary', body, `${url}/deliveries`));
  };
  const { state, missing } = await post();
  expect(state).toBe('incomplete');
  const type = 'content-type: application/octet-stream';
  await curl('-H', type, '-T', at('fw.bin'), `${url}/images/${missing[0].sha256}`);
  expect(await post()).toMatchObject({ state: 'published' });
  expect(await found('foreign/fw.bin')).toBe('foreign');
});

test('a supplier with the command line: fetch, propose, sign, deliver', async () => {
  const folder = temporaryDirectory('supplier');
  const [copy, key, image, root] = ['copy', 'cli.key', 'fw.bin', 'root.json'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string];
  await writeKeyFile(key, cliKey, undefined);
  writeFileSync(image, 'cli 1');
  writeFileSync(root, readFileSync(join(ceremony.folder, 'metadata', '1.root.json')));
  const run = (...args: string[]) => runCommand(['repository', ...args]);
  const fetchCopy = () =>
    run('fetch', copy, '--from', `${t.carota.httpUrl}/uptane/image`, '--root', root);
  const deliverCopy = () => run('deliver', copy, '--url', t.carota.httpUrl, '--token', supplier);
  expect(await fetchCopy()).toMatchObject({ code: 0 });
  expect((await deliverCopy()).output).toContain('no delegated role is proposed');
  const propose = (counter: string) =>
    run(
      ...['propose', copy, '--role', 'cli', '--add', `cli/fw.bin=${image}`],
      ...['--hardware-id', 'hw-a', '--release-counter', counter],
    );
  expect(await propose('1')).toMatchObject({ code: 0 });
  const unsigned = await deliverCopy();
  expect(unsigned.code).toBe(3);
  expect(unsigned.output).toContain('cli version 2 has 0 of 1 signatures that targets asks for');
  expect(await run('sign', copy, '--key', key, '--yes')).toMatchObject({ code: 0 });
  const done = await deliverCopy();
  expect(done).toMatchObject({ code: 0 });
  expect(done.output).toContain('Published cli version 2');
  expect(await found('cli/fw.bin')).toBe('cli');
  // The copy learns of it, and goes on from there.
  const fetched = await fetchCopy();
  expect(fetched.output).toContain('Fetched metadata/2.cli.json');
  writeFileSync(image, 'cli 2');
  await propose('2');
  await run('sign', copy, '--key', key, '--yes');
  expect((await deliverCopy()).output).toContain('Published cli version 3');
});

describe('refused', () => {
  const evil = { content: 'evil' };
  test.each<[string, Listed, RegExp]>([
    ['another supplier’s path', { 'brakes/fw.bin': evil }, /no delegation to radio covers/],
    ['a path below its own', { 'radio/x/fw.bin': evil }, /no delegation to radio covers/],
    ['a path that leads outside', { 'radio/..': evil }, /cannot be the path of a target/],
    ['hardware that is not its own', { 'radio/a': { ...evil, hw: ['hw-c'] } }, /no delegation/],
    [
      'hardware of which one part is not its own',
      { 'radio/a': { ...evil, hw: ['hw-a', 'hw-c'] } },
      /radio\/a for hw-c: it is not delegated to this role/,
    ],
    [
      'a path that a terminating delegation before its own ends',
      { 'radio/locked.bin': evil },
      /radio\/locked.bin for hw-a: a terminating delegation before it ends the search/,
    ],
    ['no hardware', { 'radio/a': { ...evil, hw: [] } }, /it has no hardware ids/],
  ])('%s', async (_name, listed, fault) => {
    await expectRefused({ radio: await radioFile(listed) }, fault);
  });

  test('a path at which a role of higher priority lists another image', async () => {
    const theirs = await signMetadata(
      signedPart(2, { 'radio/shared.bin': { content: 'brakes own' } }),
      [brakes],
    );
    await deliverAll({ brakes: theirs }, ['brakes own']);
    await expectRefused(
      { radio: await radioFile({ 'radio/shared.bin': evil }) },
      /radio\/shared.bin for hw-a: vehicles find another image there, of the role brakes/,
    );
  });

  test.each<[string, () => Promise<WrittenEnvelope>, RegExp]>([
    [
      'too few signatures',
      () => radioFile({ 'radio/a': evil }, { signers: radio.slice(0, 1) }),
      /radio version \d+ has 1 of 2 signatures/,
    ],
    [
      'one key twice',
      () => radioFile({ 'radio/a': evil }, { signers: [radio[0], radio[0]] }),
      /has 1 of 2 signatures/,
    ],
    [
      'keys that are not its own',
      () => radioFile({ 'radio/a': evil }, { signers: [brakes, laboratory] }),
      /has 0 of 2 signatures/,
    ],
    [
      'a change after the signature',
      async () => {
        const file = await radioFile({ 'radio/a': evil });
        return { ...file, signed: { ...file.signed, targets: targetsOf({ 'radio/b': evil }) } };
      },
      /has 0 of 2 signatures/,
    ],
    [
      'an expiry that has passed',
      () => radioFile({ 'radio/a': evil }, { expires: '2026-01-01T00:00:00Z' }),
      /has expired already/,
    ],
    [
      'an expiry in ten years',
      () => radioFile({ 'radio/a': evil }, { expires: '2036-11-27T00:00:00Z' }),
      /expires on 2036-11-27T00:00:00Z, in more than/,
    ],
    [
      'a date that does not exist',
      () => radioFile({ 'radio/a': evil }, { expires: '2027-02-30T00:00:00Z' }),
      /expires/,
    ],
    [
      'a version that uses up all others',
      () => radioFile({ 'radio/a': evil }, { version: Number.MAX_SAFE_INTEGER }),
      /leaves out more than 1000/,
    ],
    ...[1436792652304.4885, 1e300, 2 ** 53].map(
      (weight): [string, () => Promise<WrittenEnvelope>, RegExp] => [
        `the number ${weight}`,
        async () => {
          const file = await radioFile({ 'radio/a': evil });
          return { ...file, signed: { ...file.signed, weights: [[weight]] } };
        },
        /roles\.radio\.signed\.weights\[0\]\[0\] is wrong: expected an integer within .*, found the number/,
      ],
    ),
    ['another type', () => radioFile({}, { _type: 'root' }), /_type/],
    [
      'an older version',
      () => radioFile({ 'radio/a': evil }, { version: 1 }),
      /version 1 is proposed/,
    ],
    [
      'a lower release counter',
      async () => {
        const file = await radioFile({ 'radio/rc.bin': { content: 'rc', rc: 5 } });
        await deliverAll({ radio: file }, ['rc']);
        return radioFile({ 'radio/rc.bin': { content: 'rc', rc: 4 } });
      },
      /the release counter goes back from 5 to 4/,
    ],
    [
      'a delegation to a role that has no file',
      () =>
        radioFile(
          {},
          {
            delegations: {
              keys: { [laboratory.keyId]: laboratory.key },
              roles: [
                {
                  name: 'sub',
                  keyids: [laboratory.keyId],
                  threshold: 1,
                  paths: ['radio/*'],
                  terminating: false,
                },
              ],
            },
          },
        ),
      /sub is delegated to, but has no file/,
    ],
  ])('%s', async (_name, make, fault) => {
    await expectRefused({ radio: await make() }, fault);
  });

  test('the same file after a newer one: a replay', async () => {
    const old = await radioFile({ 'radio/old.bin': { content: 'radio old' } });
    await deliverAll({ radio: old }, ['radio old']);
    const now = await radioFile({ 'radio/new.bin': { content: 'radio new' } });
    await deliverAll({ radio: now }, ['radio new']);
    await expectRefused({ radio: old }, /is published already/);
    expect(await found('radio/new.bin')).toBe('radio');
  });

  test('top-level roles, roles that nobody delegates to, and what is no delivery', async () => {
    const file = await radioFile({});
    for (const role of ['targets', 'root', 'snapshot', 'timestamp']) {
      await expectRefused({ [role]: file }, /is not a delegated role/);
    }
    await expectRefused({ stranger: file }, /there is no delegation to stranger/);
    await expectRefused({}, /the delivery has no role/);
    await expectRefused({ '../radio': file }, /cannot be the name of a role/);
    const text = async (body: string) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await t.call('POST', '/v1.0/image-repository/deliveries', {
        token: supplier,
        headers,
        body: Buffer.from(body),
      });
      return answer.body.errorCode;
    };
    const twice = `{"roles":{"radio":${JSON.stringify(file)},"radio":${JSON.stringify(file)}}}`;
    for (const body of ['', '[]', '{', 'null', '{"roles":[]}', twice, '['.repeat(5_000)]) {
      expect(await text(body)).toMatch(/^(INVALID|NOT_JSON|BODY_MISSING|DELIVERY_REFUSED)$/);
    }
    expect(files()).toEqual(files());
  });

  test('a refusal is in the audit log', async () => {
    await expectRefused({ radio: await radioFile({ 'brakes/a': evil }) }, /no delegation/);
    const { body } = await t.call('GET', '/v1.0/audit');
    expect(body.items[0]).toMatchObject({ action: 'refuse-delivery', tokenName: 'radio ltd' });
    expect(body.items[0].detail.faults[0]).toContain('brakes/a');
  });

  test('who has no permission to supply, and a supplier that wants anything else', async () => {
    const planner = await t.call('POST', '/v1.0/tokens', { body: { name: 'p', role: 'planner' } });
    const file = await radioFile({});
    expect((await deliver({ radio: file }, planner.body.token)).status).toBe(403);
    expect((await send('x', 'x', planner.body.token)).status).toBe(403);
    const get = await t.call('GET', '/v1.0/artifacts', { token: supplier });
    expect(get.status).toBe(403);
  });
});

describe('images', () => {
  test('that no delivery lists are not taken', async () => {
    const { status, body } = await send('a stranger');
    expect([status, body.errorCode]).toEqual([409, 'DELIVERY_REFUSED']);
  });

  test('are not taken for a delivery that is refused', async () => {
    const listed = { 'radio/u.bin': { content: 'unsigned' } };
    await expectRefused(
      { radio: await radioFile(listed, { signers: [brakes] }) },
      /has 0 of 2 signatures/,
    );
    expect((await send('unsigned')).status).toBe(409);
  });

  test('with other bytes, fewer or more, are refused, and can be sent again', async () => {
    const file = await radioFile({ 'radio/b.bin': { content: 'bytes' } });
    expect((await deliver({ radio: file })).body.state).toBe('incomplete');
    for (const bytes of ['bytez', 'byte', 'bytes and more'.repeat(10_000)]) {
      const { status, body } = await send('bytes', bytes);
      expect([status, body.errorCode]).toEqual([400, 'ARTIFACT_REFUSED']);
    }
    expect((await deliver({ radio: file })).body.state).toBe('incomplete');
    await deliverAll({ radio: file }, ['bytes']);
  });

  test('whose other hash or length is wrong are not published', async () => {
    const targets = targetsOf({ 'radio/h.bin': { content: 'hashed' } });
    const target = must(targets['radio/h.bin']);
    const wrong = async (changes: object) =>
      radioFile({}, { targets: { 'radio/h.bin': { ...target, ...changes } } });
    const sha512 = 'a'.repeat(128);
    const file = await wrong({ hashes: { ...target.hashes, sha512 } });
    expect((await deliver({ radio: file })).body.state).toBe('incomplete');
    expect((await send('hashed')).status).toBe(204);
    await expectRefused({ radio: file }, /does not have the hash that is listed/);
    await expectRefused({ radio: await wrong({ length: 5 }) }, /is too long/);
    await expectRefused({ radio: await wrong({ hashes: { md5: 'a'.repeat(32) } }) }, /SHA-256/);
  });
});

test('two roles that must agree deliver one after the other, or together', async () => {
  const listed = { 'agreed/a.bin': { content: 'agreed' } };
  const first = await signMetadata(signedPart(2, listed), [laboratory]);
  const second = await signMetadata(signedPart(2, listed), [brakes]);
  await deliverAll({ first }, ['agreed']);
  expect(await found('agreed/a.bin')).toBeUndefined();
  expect((await deliver({ second })).body).toMatchObject({ state: 'published' });
  expect(await found('agreed/a.bin')).toBe('first');
  const both = { 'agreed/a.bin': { content: 'agreed', rc: 2 } };
  const { body } = await deliver({
    first: await signMetadata(signedPart(3, both), [laboratory]),
    second: await signMetadata(signedPart(3, both), [brakes]),
  });
  expect(body).toMatchObject({ state: 'published', roles: [{ version: 3 }, { version: 3 }] });
});

test('of two deliveries of one version at once one is published, and vehicles go on', async () => {
  const client = TestClient.ofFolder(ceremony.folder);
  const version = (await versionOf('radio')) + 1;
  const both = await Promise.all(
    ['one', 'two'].map((name) =>
      radioFile({ [`radio/${name}.bin`]: { content: 'same' } }, { version }),
    ),
  );
  const [first] = both;
  expect((await deliver({ radio: first })).body.state).toBe('incomplete');
  expect((await send('same')).status).toBe(204);
  const answers = await Promise.all(both.map((radio) => deliver({ radio })));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  const listed = await Promise.all(
    ['one', 'two'].map((name) => client.find(ceremony.folder, `radio/${name}.bin`, new Date())),
  );
  expect(listed.filter((role) => role === 'radio')).toHaveLength(1);
});

test('what people have proposed meanwhile stays proposed, and can be published afterwards', async () => {
  ceremony.now = new Date();
  await ceremony.addImage('own.bin', 'own', 1);
  await ceremony.sign(...ceremony.targets.slice(0, 2));
  const before = (await ceremony.repository.status(new Date())).proposed;
  const file = await radioFile({ 'radio/while.bin': { content: 'while' } });
  await deliverAll({ radio: file }, ['while']);
  expect((await ceremony.repository.status(new Date())).proposed).toEqual(before);
  await ceremony.publish();
  expect(await found('own.bin')).toBe('targets');
  expect(await found('radio/while.bin')).toBe('radio');
});

test('the power is cut between any two files: vehicles accept what is there, and the same delivery finishes it', async () => {
  const online = ceremony.online;
  class CutFiles extends FolderFiles {
    constructor(
      folder: string,
      public left: number,
    ) {
      super(folder);
    }
    override async write(path: string, bytes: Uint8Array): Promise<void> {
      if (this.left-- === 0) throw new Error('the power is cut');
      await super.write(path, bytes);
    }
  }
  const file = await radioFile({ 'radio/cut.bin': { content: 'cut' } });
  const delivery = readDelivery(Buffer.from(JSON.stringify({ roles: { radio: file } })));
  const parked = TestClient.ofFolder(ceremony.folder);
  let cuts = 0;
  for (let left = 0; ; left++) {
    const { folder } = ceremony.copy();
    const repository = (files: FolderFiles) =>
      new ImageRepository(files, { hasImagesElsewhere: true });
    const now = new Date();
    const done = await repository(new CutFiles(folder, left))
      .deliver(delivery, online, now)
      .then(
        () => true,
        (error: unknown) => {
          expect((error as Error).message).toBe('the power is cut');
          return false;
        },
      );
    if (!done) cuts += 1;
    const client = TestClient.ofFolder(folder);
    expect(['radio', undefined]).toContain(await client.find(folder, 'radio/cut.bin', now));
    await repository(new FolderFiles(folder)).deliver(delivery, online, now);
    expect(await client.find(folder, 'radio/cut.bin', now)).toBe('radio');
    if (done) break;
  }
  expect(cuts).toBe(3);
  expect(await parked.find(ceremony.folder, 'radio/cut.bin', new Date())).toBeUndefined();
});
