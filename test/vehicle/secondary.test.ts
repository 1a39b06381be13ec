/**
 * A Secondary with its own key, time, metadata and software, behind its socket; and a compromised Primary, which can
 * send anything, but cannot make it install what verification rejects.
 */
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type EcuUpdate } from '../../src/update-script/index.js';
import {
  type MetadataBundle,
  openFileSecondary,
  provisionSecondary,
  SecondaryLink,
  type ServedSecondary,
  serveSecondary,
  vehicleFiles,
} from '../../src/vehicle/index.js';
import { sampleOf } from '../support/depth.js';
import { temporaryDirectory } from '../support/servers.js';
import { makeKey } from '../uptane/support/keys.js';
import { must } from '../uptane/support/must.js';
import { type TestRepository } from '../uptane/support/test-repository.js';
import { softwareOf } from './support/software.js';
import {
  describeVehicle,
  ECUS,
  imageName,
  startUptaneVehicle,
  UptaneWorld,
  VIN,
} from './support/uptane-world.js';

const OLD = { TCU: { version: '1.1.0', content: softwareOf(5_000), counter: 5 } };
const NEW = { TCU: { version: '1.2.0', content: softwareOf(300_000), counter: 6 } };

let world: UptaneWorld;
let directory: string;
let served: ServedSecondary | undefined;
let failures: string[];

beforeEach(async () => {
  world = await new UptaneWorld().start();
  directory = temporaryDirectory('secondary');
  failures = [];
});
afterEach(async () => {
  await served?.close();
  served = undefined;
  await world.close();
});

const socket = () => join(directory, 'ecu.sock');

function provision(verification: 'full' | 'partial'): void {
  const description = { vin: VIN, name: 'TCU', ...ECUS.TCU, version: '1.0.0', verification };
  provisionSecondary(directory, Buffer.from(JSON.stringify(description)), world.trust);
}

type Limits = Omit<Parameters<typeof serveSecondary>[1], 'path' | 'onFailure'>;

/** @param limits only for tests of limits: a busy machine makes honest peers slow too */
async function serve(limits: Limits = {}, installerCommand?: string): Promise<void> {
  const { secondary } = openFileSecondary({ directory, installerCommand });
  served = await serveSecondary(secondary, {
    path: socket(),
    onFailure: (call, error) => failures.push(`${call}: ${error.message}`),
    ...limits,
  });
}

const startPrimary = () =>
  startUptaneVehicle(world, {
    description: describeVehicle(['HU', 'TCU'], {
      TCU: { socket: socket(), version: undefined },
    }),
  });

/** The software that the ECU would start. */
function running(): { version: string; content: Buffer } {
  const folder = join(directory, 'slots', 'TCU');
  const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
  const slot = join(folder, must(json(join(folder, 'boot.json')).active));
  return {
    version: must(json(join(slot, 'manifest.json')).version),
    content: readFileSync(join(slot, 'software')),
  };
}

/** Does not use `toEqual` for the content, which compares byte by byte and takes half a second. */
function expectRunning({ TCU }: typeof OLD): void {
  const { version, content } = running();
  expect(version).toBe(TCU.version);
  expect(content.equals(TCU.content)).toBe(true);
}

describe.each(sampleOf(['full', 'partial'] as const, 2))('with %s verification', (verification) => {
  beforeEach(async () => {
    provision(verification);
    await serve();
  });

  test('a Secondary receives its update through its Primary, and reports it signed with its own key', async () => {
    world.update('tcu 001', OLD);
    const v = startPrimary();
    await v.update('tcu 001');
    expect(v.newStatuses().at(-1)).toBe('success');
    expectRunning(OLD);
    // The key is only in its own folder.
    expect(existsSync(vehicleFiles(v.directory).ecu(ECUS.TCU.serial))).toBe(false);
    expect(statSync(join(directory, 'key.pem')).mode & 0o777).toBe(0o600);
    world.update('tcu 002', NEW);
    await v.update('tcu 002');
    expect(v.newStatuses().at(-1)).toBe('success');
    expectRunning(NEW);
    const report = must(world.manifests.at(-1)?.reports.get(ECUS.TCU.serial));
    expect(report.installed).toMatchObject({ path: imageName('TCU', '1.1.0'), releaseCounter: 5 });
    await v.stop();
  });

  test('a Secondary catches up on root versions that it missed while switched off', async () => {
    world.update('tcu 001', OLD);
    const v = startPrimary();
    await v.update('tcu 001');
    await must(served).close();
    for (let root = 0; root < 3; root += 1) {
      world.director.roles.root.keys = [...world.director.roles.root.keys, makeKey()];
      world.director.roles.targets.keys = [makeKey()];
      world.director.release('root', 'targets', 'snapshot', 'timestamp');
    }
    await v.update('tcu 001');
    expect(v.newStatuses().at(-1)).toBe('failure');
    expect(v.platform.meta()).toMatch(/the ECU at .*ecu\.sock does not answer/);
    await serve();
    world.update('tcu 002', NEW);
    await v.update('tcu 002');
    expect(v.newStatuses().at(-1)).toBe('success');
    await v.stop();
  });
});

/** A compromised Primary, which talks to the Secondary directly. */
class TakenOver {
  readonly link = new SecondaryLink(socket());

  async time(time = world.now, key = world.timeKey): Promise<void> {
    await this.link.takeTime(world.signedTime([await this.link.nonce()], time, key));
  }

  bundle(director = files(world.director), image = files(world.image)): MetadataBundle {
    return new Map([
      ...[...director].map(([path, bytes]) => [`director/${path}`, bytes] as const),
      ...[...image]
        .filter(([path]) => path.startsWith('metadata/'))
        .map(([path, bytes]) => [path.replace('metadata/', 'image/'), bytes] as const),
    ]);
  }

  async image(content: Buffer): Promise<void> {
    await this.link.takeImage(content.length, pieces(content));
  }

  /** All steps of an honest Primary. */
  async installs(update: EcuUpdate, content: Buffer): Promise<void> {
    await this.time();
    await this.link.takeMetadata(this.bundle());
    await this.image(content);
    await this.link.install(update, AbortSignal.timeout(5_000));
    await this.link.activate(update);
    await this.link.confirm(update);
  }
}

const files = ({ files }: TestRepository) => new Map(files);

/** Sends a byte at a time, often enough that the link's idle timeout does not end it. */
async function* drip(): AsyncGenerator<Uint8Array> {
  for (;;) {
    yield Buffer.from(' ');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function* pieces(content: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += 10_000) yield content.subarray(at, at + 10_000);
}

const refusal = (work: Promise<unknown>): Promise<{ code?: string; attack?: string }> =>
  work.then(
    () => ({ code: 'accepted' }),
    (error: unknown) => error as { code?: string; attack?: string },
  );

describe.each(sampleOf(['full', 'partial'] as const, 2))('a compromised Primary, against %s verification,', (verification) => {
  let primary: TakenOver;
  let old: EcuUpdate;
  let oldDirector: Map<string, Buffer>;
  beforeEach(async () => {
    provision(verification);
    await serve();
    primary = new TakenOver();
    old = must(world.update('tcu 001', OLD).ecus[0]);
    await primary.installs(old, OLD.TCU.content);
    oldDirector = files(world.director);
  });
  afterEach(() => expectRunning(OLD));

  const orderNew = () => must(world.update('tcu 002', NEW).ecus[0]);

  test('cannot install anything that is not ordered', async () => {
    const update = must(world.offer('tcu 002', NEW).ecus[0]);
    world.release();
    await primary.time();
    expect(await primary.link.takeMetadata(primary.bundle())).toBeUndefined();
    expect(await refusal(primary.image(NEW.TCU.content))).toMatchObject({ code: 'no-image' });
    const { signal } = new AbortController();
    expect(await refusal(primary.link.install(update, signal))).toMatchObject({ code: 'no-image' });
  });

  test('cannot sign orders of its own', async () => {
    orderNew();
    const key = makeKey();
    world.director.signers = (role) => (role === 'root' ? undefined : [key]);
    world.director.publish();
    await primary.time();
    expect(await refusal(primary.link.takeMetadata(primary.bundle()))).toMatchObject({
      ...{ code: 'signature', attack: 'arbitrary-software' },
    });
  });

  test('cannot starve it: the ECU gives up on metadata and images that drip, and its order stands', async () => {
    await must(served).close();
    await serve({ slowest: { bytes: 1_000, seconds: 3 } });
    const update = orderNew();
    await primary.time();
    await primary.link.takeMetadata(primary.bundle());
    const dripped = await refusal(primary.link.takeImage(NEW.TCU.content.length, drip()));
    expect(dripped).not.toMatchObject({ code: 'accepted' });
    const raw = connect(socket()).on('error', () => undefined);
    const closed = once(raw, 'close');
    const header = Buffer.from(JSON.stringify({ call: 'takeMetadata', bytes: 5_000, files: [] }));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(header.length);
    raw.write(Buffer.concat([length, header]));
    const dripping = setInterval(() => raw.write(' '), 20);
    raw.resume();
    await closed;
    clearInterval(dripping);
    expect(failures).toEqual([
      'takeImage: the peer sends too slowly',
      'takeMetadata: the peer sends too slowly',
    ]);
    const { signal } = new AbortController();
    expect(await refusal(primary.link.install(update, signal))).not.toMatchObject({ code: 'accepted' });
    await primary.image(NEW.TCU.content);
    expect(await primary.link.hasImage()).toBe(true);
  });

  test('cannot go back to older metadata, or to the software in the other slot', async () => {
    orderNew();
    await primary.time();
    await primary.link.takeMetadata(primary.bundle());
    const { code, attack } = await refusal(primary.link.takeMetadata(primary.bundle(oldDirector)));
    // Without a timestamp, only the version of targets reveals it.
    expect({ code, attack }).toEqual({ code: 'rollback', attack: 'rollback' });
    const factory = { ...old, version: '1.0.0', artifact: { ...old.artifact, sha256: 'a'.repeat(64) } };
    expect(await refusal(primary.link.activate(factory))).toMatchObject({ code: 'mismatch' });
    await primary.link.revert(factory);
  });

  test('cannot substitute another image for the ordered one', async () => {
    const update = orderNew();
    await primary.time();
    await primary.link.takeMetadata(primary.bundle());
    const other = softwareOf(NEW.TCU.content.length);
    expect(await refusal(primary.image(other))).toMatchObject({ code: 'hash', attack: 'arbitrary-software' });
    expect(await refusal(primary.image(other.subarray(1)))).toMatchObject({ code: 'length' });
    expect(await refusal(primary.image(Buffer.concat([other, other])))).toMatchObject({
      ...{ code: 'length', attack: 'endless-data' },
    });
    expect(await refusal(primary.link.install(update, AbortSignal.timeout(5_000)))).toMatchObject({ code: 'hash' });
    // Not even under the name of the ordered image.
    await primary.image(NEW.TCU.content);
    const foreign = { ...update, artifact: { ...update.artifact, sha256: 'b'.repeat(64) } };
    const { signal } = new AbortController();
    expect(await refusal(primary.link.install(foreign, signal))).toMatchObject({ code: 'mismatch' });
    const elsewhere = { ...update, ecu: 'HU' };
    expect(await refusal(primary.link.install(elsewhere, signal))).toMatchObject({ code: 'mismatch' });
  });

  test('cannot change the image after verification: it is hashed again at installation', async () => {
    const update = orderNew();
    await primary.time();
    await primary.link.takeMetadata(primary.bundle());
    await primary.image(NEW.TCU.content);
    const changed = Buffer.from(NEW.TCU.content);
    changed[100] = (changed[100] ?? 0) ^ 1;
    writeFileSync(join(directory, 'software'), changed);
    expect(await refusal(primary.link.install(update, AbortSignal.timeout(5_000)))).toMatchObject({ code: 'hash' });
    expect(await primary.link.hasImage()).toBe(false);
  });

  test('cannot activate a slot that the ECU did not write for the order', async () => {
    const update = orderNew();
    await primary.time();
    await primary.link.takeMetadata(primary.bundle());
    expect(await refusal(primary.link.activate(update))).toMatchObject({ code: 'mismatch' });
    // Nor, after the write, the software that was in the slot before.
    await primary.image(NEW.TCU.content);
    await primary.link.install(update, AbortSignal.timeout(5_000));
    world.orderNothing();
    world.director.release();
    await primary.link.takeMetadata(primary.bundle());
    expect(await refusal(primary.link.activate(update))).toMatchObject({ code: 'no-image' });
  });

  test('can neither freeze nor shift the time', async () => {
    orderNew();
    const nonce = await primary.link.nonce();
    await primary.link.nonce();
    // An answer to an earlier nonce, a stranger's answer, and an unsolicited one.
    expect(await refusal(primary.link.takeTime(world.signedTime([nonce])))).toMatchObject({ code: 'freeze' });
    expect(await refusal(primary.time(world.now, makeKey()))).toMatchObject({ code: 'signature' });
    // A valid answer, replayed.
    const answer = world.signedTime([await primary.link.nonce()]);
    await primary.link.takeTime(answer);
    expect(await refusal(primary.link.takeTime(answer))).toMatchObject({ code: 'freeze' });
    // An ECU that was off has no trusted time.
    await must(served).close();
    await serve();
    expect(await refusal(primary.link.takeMetadata(primary.bundle()))).toMatchObject({ code: 'freeze' });
    await primary.time(new Date('2099-06-01T00:00:00Z'));
    expect(await refusal(primary.link.takeMetadata(primary.bundle()))).toMatchObject({ code: 'freeze' });
  });

  test('cannot pass off an order for another ECU or vehicle', async () => {
    orderNew();
    world.director.targets.custom = { vin: '5YJSA1E40FF345679' };
    world.director.release();
    await primary.time();
    expect(await refusal(primary.link.takeMetadata(primary.bundle()))).toMatchObject({ code: 'vehicle', attack: 'wrong-ecu' });
    world.director.targets.custom = { vin: VIN };
    const custom = (world.director.targets.targets[imageName('TCU', '1.2.0')] as any).custom;
    custom.ecuIdentifiers = { [ECUS.HU.serial]: { hardwareId: ECUS.HU.hardwareId } };
    world.director.release();
    expect(await primary.link.takeMetadata(primary.bundle())).toBeUndefined();
    expect(await refusal(primary.image(NEW.TCU.content))).toMatchObject({ code: 'no-image' });
  });

  test('cannot hide from the Director what the ECU has observed', async () => {
    orderNew();
    await primary.time();
    world.director.signers = (role) => (role === 'targets' ? [makeKey()] : undefined);
    world.director.publish();
    await refusal(primary.link.takeMetadata(primary.bundle()));
    const { signed } = JSON.parse(Buffer.from(await primary.link.report()).toString());
    expect(signed).toMatchObject({ attack: 'arbitrary-software', ecu: ECUS.TCU.serial, vin: VIN });
    expect(signed.reason).toMatch(/targets.*not signed by enough keys/);
    expect(signed.installed.path).toBe(imageName('TCU', '1.1.0'));
  });

  if (verification === 'full') {
    test('even with a compromised Director, cannot install what the image repository does not confirm', async () => {
      orderNew();
      world.director.addImage('evil', Buffer.from('evil'), {
        match: { hardwareIds: ['hw-b'], releaseCounter: 9 },
        ecuIdentifiers: { [ECUS.TCU.serial]: { hardwareId: 'hw-b' } },
      });
      Reflect.deleteProperty(world.director.targets.targets, imageName('TCU', '1.2.0'));
      world.director.release();
      await primary.time();
      expect(await refusal(primary.link.takeMetadata(primary.bundle()))).toMatchObject({ code: 'no-image' });
    });
  }
}); // prettier-ignore

describe('a Secondary’s socket', () => {
  beforeEach(async () => {
    provision('full');
    await serve();
  });

  const send = async (...bytes: (Buffer | string)[]): Promise<string> => {
    const client = connect(socket());
    await once(client, 'connect');
    client.on('error', () => undefined);
    let answer = '';
    client.on('data', (chunk) => (answer += chunk.toString()));
    const closed = once(client, 'close');
    for (const piece of bytes) client.write(piece);
    await closed;
    return answer.slice(4);
  };
  const header = (value: unknown) => {
    const json = Buffer.from(JSON.stringify(value));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(json.length);
    return Buffer.concat([length, json]);
  };

  test.each<[string, (Buffer | string)[], RegExp]>([
    ['a header that is too long', [Buffer.from([255, 255, 255, 255])], /longer than 262144/],
    ['text', ['GET / HTTP/1.1\r\n\r\n'], /longer than 262144/],
    ['no JSON', [Buffer.from([0, 0, 0, 2]), '{x'], /not a JSON object/],
    ['an unknown call', [header({ call: 'format' })], /there is no call .*format/],
    ['a name of every object', [header({ call: 'constructor' })], /there is no call/],
    ['a bundle that is too large', [header({ call: 'takeMetadata', bytes: 64_000_001 })], /limit of 64000000/],
    ['a negative body', [header({ call: 'takeTime', bytes: -1 })], /-1 bytes/],
    ['files that are not there', [header({ call: 'takeMetadata', bytes: 0, files: [{ path: 'x', length: 5 }] })], /5 bytes is not within/],
    ['no update', [header({ call: 'install', update: { ecu: '../x' } })], /update/],
  ])('refuses %s, and answers the next call', async (_what, bytes, answer) => {
    expect(await send(...bytes)).toMatch(answer);
    expect(await new SecondaryLink(socket()).version()).toBe('1.0.0');
  }); // prettier-ignore

  test.each<[string, Buffer[]]>([
    ['nothing', []],
    ['half a header', [Buffer.from([0, 0, 0, 9])]],
  ])('gives up on a peer that sends %s, and answers the next call', async (_what, bytes) => {
    await must(served).close();
    await serve({ patienceMs: 2_000 });
    expect(await send(...bytes)).toMatch(/^$|slowly/);
    expect(await new SecondaryLink(socket()).version()).toBe('1.0.0');
  });

  test('gives access to its owner only, and is served by one process only', async () => {
    expect(statSync(socket()).mode & 0o777).toBe(0o600);
    await expect(serve()).rejects.toThrow(/another process serves/);
    writeFileSync(join(directory, 'file'), '');
    const { secondary } = openFileSecondary({ directory });
    await expect(serveSecondary(secondary, { path: join(directory, 'file') })).rejects.toThrow(
      /exists and is not a socket/,
    );
  });
});

test('the installer does not inherit credentials from the environment', async () => {
  provision('full');
  const seen = join(directory, 'seen');
  process.env.OTAOPS_CREDENTIAL = 'secret-of-mqtt';
  process.env.AWS_SECRET_ACCESS_KEY = 'secret-of-s3';
  try {
    await serve({}, `env > ${seen}; echo 1.0.0`);
    expect(await new SecondaryLink(socket()).version()).toBe('1.0.0');
  } finally {
    Reflect.deleteProperty(process.env, 'OTAOPS_CREDENTIAL');
    Reflect.deleteProperty(process.env, 'AWS_SECRET_ACCESS_KEY');
  }
  const environment = readFileSync(seen, 'utf8');
  expect(environment).toMatch(/^OTAOPS_ACTION=version$/m);
  expect(environment).toMatch(/^PATH=/m);
  expect(environment).not.toMatch(/secret/);
});
