/** Suppliers deliver over HTTP what their signatures authorise. Refusals: refused-deliveries.test.ts. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { takingTurns } from '../support/depth.js';
import { FolderFiles } from '../../src/uptane/repository/folder-files.js';
import { readDelivery } from '../../src/uptane/repository/delivery.js';
import { ImageRepository } from '../../src/uptane/repository/repository.js';
import { writeKeyFile } from '../../src/uptane/signing/key-file.js';
import { signMetadata } from '../../src/uptane/signing/sign.js';
import { runCommand } from '../support/run-command.js';
import { temporaryDirectory } from '../support/servers.js';
import { TestClient } from '../uptane/repository/support.js';
import { must } from '../uptane/support/must.js';
import {
  brakes,
  cliKey,
  laboratory,
  signedPart,
  suppliersOfFile,
  targetsOf,
} from './support/suppliers.js';

/** Tests with siblings on the same subject take turns. */
const isTurn = takingTurns(2);

const world = suppliersOfFile();
const { versionOf, radioFile, deliver, send, deliverAll, found, files, expectRefused } = world;

test('metadata signed by the supplier and its image are published unchanged', async () => {
  const file = await radioFile({ 'radio/fw.bin': { content: 'radio 1' } });
  const { status, body } = await deliver({ radio: file });
  const sha256 = createHash('sha256').update('radio 1').digest('hex');
  expect(status).toBe(200);
  expect(body).toEqual({
    state: 'incomplete',
    roles: [{ role: 'radio', version: 2 }],
    missing: [{ role: 'radio', path: 'radio/fw.bin', sha256, length: 7 }],
  });
  // Not yet published: its image is missing.
  expect(await found('radio/fw.bin')).toBeUndefined();
  await deliverAll({ radio: file }, ['radio 1']);
  expect(await found('radio/fw.bin')).toBe('radio');
  const published = JSON.parse(
    readFileSync(join(world.ceremony.folder, 'metadata', '2.radio.json'), 'utf8'),
  );
  expect(published).toEqual(file);
  const image = await fetch(
    `${world.carota.carota.httpUrl}/uptane/image/targets/radio/${sha256}.fw.bin`,
    {
      headers: { 'authorization-token': world.carota.token },
    },
  );
  expect(await image.text()).toBe('radio 1');
  // A repeated delivery changes nothing.
  const before = files();
  expect((await deliver({ radio: file })).body).toMatchObject({ state: 'published', missing: [] });
  expect(files()).toEqual(before);
  const { body: audit } = await world.carota.call('GET', '/v1.0/audit?outcome=done');
  expect(audit.items[0]).toMatchObject({
    action: 'deliver',
    tokenName: 'radio ltd',
    vin: null,
    detail: { state: 'published', roles: [{ role: 'radio', version: 2 }] },
  });
});

test('a supplier fetches, proposes, signs and delivers with the command line', async () => {
  const folder = temporaryDirectory('supplier');
  const [copy, key, image, root] = ['copy', 'cli.key', 'fw.bin', 'root.json'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string];
  await writeKeyFile(key, cliKey, undefined);
  writeFileSync(image, 'cli 1');
  writeFileSync(root, readFileSync(join(world.ceremony.folder, 'metadata', '1.root.json')));
  const run = (...args: string[]) => runCommand(['repository', ...args]);
  const fetchCopy = () =>
    run('fetch', copy, '--from', `${world.carota.carota.httpUrl}/uptane/image`, '--root', root);
  const deliverCopy = () =>
    run('deliver', copy, '--url', world.carota.carota.httpUrl, '--token', world.token);
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
  // The copy fetches the published version, and continues from it.
  const fetched = await fetchCopy();
  expect(fetched.output).toContain('Fetched metadata/2.cli.json');
  writeFileSync(image, 'cli 2');
  await propose('2');
  await run('sign', copy, '--key', key, '--yes');
  expect((await deliverCopy()).output).toContain('Published cli version 3');
});

describe('images', () => {
  test.runIf(isTurn())('that no delivery lists are refused', async () => {
    const { status, body } = await send('a stranger');
    expect([status, body.errorCode]).toEqual([409, 'DELIVERY_REFUSED']);
  });

  test.runIf(isTurn())('of a refused delivery are refused', async () => {
    const listed = { 'radio/u.bin': { content: 'unsigned' } };
    await expectRefused(
      { radio: await radioFile(listed, { signers: [brakes] }) },
      /has 0 of 2 signatures/,
    );
    expect((await send('unsigned')).status).toBe(409);
  });

  test.runIf(isTurn())(
    'with wrong, missing or extra bytes are refused, and can be sent again',
    async () => {
      const file = await radioFile({ 'radio/b.bin': { content: 'bytes' } });
      expect((await deliver({ radio: file })).body.state).toBe('incomplete');
      for (const bytes of ['bytez', 'byte', 'bytes and more'.repeat(10_000)]) {
        const { status, body } = await send('bytes', bytes);
        expect([status, body.errorCode]).toEqual([400, 'ARTIFACT_REFUSED']);
      }
      expect((await deliver({ radio: file })).body.state).toBe('incomplete');
      await deliverAll({ radio: file }, ['bytes']);
    },
  );

  test.runIf(isTurn())('with a wrong second hash or a wrong length are not published', async () => {
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

test.runIf(isTurn())(
  'two roles that must agree can deliver one after the other, or together',
  async () => {
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
  },
);

test.runIf(isTurn())(
  'of two simultaneous deliveries of the same version one is published, and vehicles can update',
  async () => {
    const client = TestClient.ofFolder(world.ceremony.folder);
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
      ['one', 'two'].map((name) =>
        client.find(world.ceremony.folder, `radio/${name}.bin`, new Date()),
      ),
    );
    expect(listed.filter((role) => role === 'radio')).toHaveLength(1);
  },
);

test.runIf(isTurn())(
  'a delivery leaves people’s proposals as they are, and they can be published afterwards',
  async () => {
    world.ceremony.now = new Date();
    await world.ceremony.addImage('own.bin', 'own', 1);
    await world.ceremony.sign(...world.ceremony.targets.slice(0, 2));
    const before = (await world.ceremony.repository.status(new Date())).proposed;
    const file = await radioFile({ 'radio/while.bin': { content: 'while' } });
    await deliverAll({ radio: file }, ['while']);
    expect((await world.ceremony.repository.status(new Date())).proposed).toEqual(before);
    await world.ceremony.publish();
    expect(await found('own.bin')).toBe('targets');
    expect(await found('radio/while.bin')).toBe('radio');
  },
);

test('after a power cut between any two files, vehicles accept what is there, and the same delivery finishes it', async () => {
  const online = world.ceremony.online;
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
  const parked = TestClient.ofFolder(world.ceremony.folder);
  let cuts = 0;
  for (let left = 0; ; left++) {
    const { folder } = world.ceremony.copy();
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
  expect(await parked.find(world.ceremony.folder, 'radio/cut.bin', new Date())).toBeUndefined();
});
