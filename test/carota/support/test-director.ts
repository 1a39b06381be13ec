/** A vehicle of three ECUs, an image repository in a folder, and a Director that knows both. */
import { randomBytes } from 'node:crypto';
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo } from 'node:net';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { eventually } from '../../support/adapter.js';
import { vinOf } from '../../support/messages.js';
import { makeKey, type Signed, signFile, type TestKey } from '../../uptane/support/keys.js';
import { temporaryDirectory } from '../../support/servers.js';
import { TestRepository } from '../../uptane/support/test-repository.js';
import {
  type AdapterDouble,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from './test-carota.js';

export interface TestEcu {
  serial: string;
  name: string;
  hardwareId: string;
  key: TestKey;
  isPrimary: boolean;
}

export const newEcus = (): TestEcu[] => [
  ecu('P-1', 'OTA-MANAGER', 'hw-primary', makeKey('ed25519'), true),
  ecu('H-1', 'HU', 'hw-hu', makeKey('ecdsa')),
  ecu('T-1', 'TCU', 'hw-tcu', tcuKey()),
];

let rsa: TestKey | undefined;
let fileWithRsa: string | undefined;

/**
 * RSA for the first vehicle of each test file, with one key for all files: generating one takes longer than most tests.
 */
function tcuKey(): TestKey {
  const { testPath } = expect.getState();
  if (testPath === fileWithRsa) return makeKey('ecdsa');
  fileWithRsa = testPath;
  return (rsa ??= makeKey('rsa'));
}

const ecu = (
  serial: string,
  name: string,
  hardwareId: string,
  key: TestKey,
  isPrimary = false,
): TestEcu => ({ serial, name, hardwareId, key, isPrimary });

export function ecuOf(ecus: readonly TestEcu[], serial: string): TestEcu {
  const found = ecus.find((ecu) => ecu.serial === serial);
  if (!found) throw new Error(`there is no ECU ${serial}`);
  return found;
}

export const registration = ({ key, ...facts }: TestEcu) => ({ ...facts, publicKey: key.listed });

export const newNonce = () => randomBytes(16).toString('hex');

/** Now, or this many seconds later. */
export const time = (later = 0) =>
  `${new Date(Date.now() + later * 1000).toISOString().slice(0, 19)}Z`;

/** A report as its ECU would make it, changed before signing. */
export const reportOf = (vin: string, ecu: TestEcu, changes: Signed = {}, key = ecu.key) =>
  JSON.parse(
    signFile(
      {
        _type: 'ecu-report',
        vin,
        ecu: ecu.serial,
        hardwareId: ecu.hardwareId,
        time: time(),
        nonce: newNonce(),
        ...changes,
      },
      [key],
    ).toString(),
  );

export interface ManifestChanges {
  /** Members of a report, by serial number. */
  readonly reports?: Readonly<Record<string, Signed>>;
  /** Members of the manifest. */
  readonly signed?: Signed;
  /** Keys that sign a report, or the manifest (`''`), in place of the ECU's own. */
  readonly keys?: Readonly<Record<string, TestKey>>;
}

/** A manifest of all these ECUs, as their Primary would make it. */
export function manifestOf(
  vin: string,
  ecus: readonly TestEcu[],
  { reports = {}, signed = {}, keys = {} }: ManifestChanges = {},
): Buffer {
  const primary = ecuOf(ecus, 'P-1');
  const ecuReports = Object.fromEntries(
    ecus.map((ecu) => [
      ecu.serial,
      reportOf(vin, ecu, reports[ecu.serial], keys[ecu.serial] ?? ecu.key),
    ]),
  );
  return signFile({ _type: 'manifest', vin, primary: primary.serial, ecuReports, ...signed }, [
    keys[''] ?? primary.key,
  ]);
}

/** An image repository in a folder, as served. */
export class RepositoryOnDisk extends TestRepository {
  /** Files already written: there are many images, and they do not change. */
  readonly #written = new Map<string, Buffer>();

  constructor(readonly folder: string) {
    super('metadata/', 'targets/');
  }

  write(): this {
    this.publish();
    // The timestamp last, so that a reader finds everything it lists.
    const files = [...this.files].sort(
      ([a], [b]) => Number(a.endsWith('timestamp.json')) - Number(b.endsWith('timestamp.json')),
    );
    for (const [path, bytes] of files) {
      if (this.#written.get(path)?.equals(bytes)) continue;
      const file = join(this.folder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, bytes);
      this.#written.set(path, bytes);
    }
    return this;
  }
}

export const match = (hardwareIds: string[], releaseCounter = 1) => ({
  match: { hardwareIds, releaseCounter },
});

export interface TestUpdate {
  readonly scriptRefId: string;
  /** ECU name to content. */
  readonly images: Readonly<Record<string, string>>;
  /** Members of the updates by ECU name. */
  readonly updates?: Readonly<Record<string, object>>;
}

/** What tests of the Director do with a CarOTA Server. */
export class DirectorWorld {
  readonly repository: RepositoryOnDisk;
  #refIds = 0;
  #scripts = 0;
  #vins = 0;

  /** With an image repository made by the tests, in its own folder, and an adapter that accepts everything. */
  static async start(settings: Parameters<typeof startTestCarota>[1] = {}): Promise<DirectorWorld> {
    const folder = settings.imageRepositoryDir ?? temporaryDirectory('image-repository');
    const adapter = await startAdapterDouble();
    const carota = await startTestCarota(adapter.url, { ...settings, imageRepositoryDir: folder });
    return new DirectorWorld(adapter, carota, folder);
  }

  private constructor(
    readonly adapter: AdapterDouble,
    readonly carota: TestCarota,
    folder: string,
  ) {
    this.repository = new RepositoryOnDisk(folder);
  }

  async stop(keepData = false): Promise<void> {
    await this.carota.stop(keepData);
    await this.adapter.stop();
  }

  newVin(): string {
    return vinOf(++this.#vins, 'WBA');
  }

  /** Registers a new vehicle. */
  async newVehicle(ecus = newEcus()): Promise<{ vin: string; ecus: TestEcu[] }> {
    const vin = this.newVin();
    await this.vehicle(vin, ecus);
    return { vin, ecus };
  }

  /** Registers a vehicle with these ECUs. */
  async vehicle(vin: string, ecus: readonly TestEcu[]): Promise<void> {
    await this.carota.call('PUT', `/v1.0/vehicles/${vin}`, { body: { model: MODEL } });
    const { status, body } = await this.register(vin, ecus);
    expect(body).toMatchObject({ ecus: expect.any(Array) });
    expect(status).toBe(200);
  }

  register(vin: string, ecus: readonly TestEcu[]) {
    return this.carota.call('PUT', `/v1.0/vehicles/${vin}/ecus`, {
      body: { ecus: ecus.map(registration) },
    });
  }

  send(vin: string, manifest: Buffer) {
    return this.carota.call('POST', `/uptane/director/${vin}/manifest`, {
      headers: { 'content-type': 'application/json' },
      body: manifest,
    });
  }

  get(vin: string, file: string) {
    return this.carota.call('GET', `/uptane/director/${vin}/${file}`);
  }

  /** All four files of a cycle; `targets` is parsed, and so are the others. */
  async cycle(vin: string) {
    const timestamp = (await this.get(vin, 'timestamp.json')).body;
    const { version } = timestamp.signed.meta['snapshot.json'];
    const snapshot = (await this.get(vin, `${version}.snapshot.json`)).body;
    const targetsVersion = snapshot.signed.meta['targets.json'].version;
    const targets = (await this.get(vin, `${targetsVersion}.targets.json`)).body;
    return { timestamp, snapshot, targets };
  }

  /** ECUs by target path. */
  async listed(vin: string): Promise<Record<string, string[]>> {
    const { targets } = await this.cycle(vin);
    expect(targets.signed.custom).toEqual({ vin });
    return Object.fromEntries(
      Object.entries<any>(targets.signed.targets).map(([path, { custom }]) => [
        path,
        Object.keys(custom.ecuIdentifiers),
      ]),
    );
  }

  newScriptRefId(): string {
    return `script-${++this.#scripts}`;
  }

  /** Publishes a new script. @returns its script-ref-id */
  async newScript(images: TestUpdate['images'], updates: TestUpdate['updates'] = {}) {
    const scriptRefId = this.newScriptRefId();
    await this.publish({ scriptRefId, images, updates });
    return scriptRefId;
  }

  /** Uploads and publishes a script, and adds it and its images to the image repository. */
  async publish({ scriptRefId, images, updates = {} }: TestUpdate): Promise<void> {
    const ecus: object[] = [];
    for (const [ecu, content] of Object.entries(images)) {
      const bytes = Buffer.from(content);
      const { sha256, md5, size } = await this.carota.upload(bytes);
      const hardwareId = `hw-${ecu.toLowerCase()}`;
      this.repository.addImage(`artifacts/${sha256}`, bytes, match([hardwareId]));
      ecus.push({ ecu, version: '1.1.0', artifact: { sha256, md5, size }, ...updates[ecu] });
    }
    const script = { version: 'v1', 'script-ref-id': scriptRefId, model: MODEL, ecus };
    const { body } = await this.carota.call('POST', '/v1.0/update-scripts', { body: script });
    expect(body).toMatchObject({ script: { 'script-ref-id': scriptRefId } });
    const file = await this.scriptFile(scriptRefId);
    this.repository.addImage(`scripts/${scriptRefId}.json`, file, match(['hw-primary']));
    this.repository.release();
    this.repository.write();
  }

  /** The file of a published script, as the server makes it a target. */
  async scriptFile(scriptRefId: string): Promise<Buffer> {
    const path = `/v1.0/update-scripts/${encodeURIComponent(scriptRefId)}`;
    const { body } = await this.carota.call('GET', path);
    return Buffer.from(JSON.stringify(body.script));
  }

  /** Plans a schedule and waits until the adapter has its first wave. @returns its ref-id */
  async schedule(scriptRefId: string, vins: readonly string[], fields: object = {}) {
    const refId = `director ${++this.#refIds} ${vins[0]}`;
    const body = { 'ref-id': refId, 'script-ref-id': scriptRefId, model: MODEL, vins, ...fields };
    const answer = await this.carota.call('POST', '/v1.0/schedules', { body });
    expect(answer.body).toMatchObject({ 'ref-id': refId });
    await this.until(refId, ({ waves }) => ['running', 'passed'].includes(waves[0]?.state));
    return refId;
  }

  until(refId: string, holds: (schedule: any) => boolean) {
    const path = `/v1.0/schedules/${encodeURIComponent(refId)}`;
    return eventually(async () => (await this.carota.call('GET', path)).body, holds);
  }

  control(refId: string, action: string) {
    const path = `/v1.0/schedules/${encodeURIComponent(refId)}/${action}`;
    return this.carota.call('POST', path, { body: { reason: 'a test' } });
  }

  async ecus(vin: string) {
    return (await this.carota.call('GET', `/v1.0/vehicles/${vin}/ecus`)).body;
  }

  /** Sum of a counter over the given labels. */
  async metric(name: string, labels = ''): Promise<number> {
    const { body } = await this.carota.call('GET', '/metrics');
    const lines = String(body).split('\n');
    const line = lines.find((line) => line.startsWith(`${name}${labels}`) && !line.startsWith('#'));
    return Number(line?.split(' ').at(-1) ?? 0);
  }

  get rootFile(): Buffer {
    return readFileSync(join(this.carota.dataDir, 'director', 'metadata', '1.root.json'));
  }
}

/** Both repositories for a client without a token: a proxy adds one. */
export async function serveBoth({ carota, repository }: DirectorWorld) {
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const inImage = path.split('/image/')[1];
    if (inImage !== undefined) {
      const file = repository.files.get(inImage);
      if (file) response.end(file);
      else response.writeHead(404).end();
      return;
    }
    const url = new URL(path.replace('/director', '/uptane/director'), carota.carota.httpUrl);
    const headers = { 'authorization-token': carota.token };
    httpRequest(url, { headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500);
      answer.pipe(response);
    }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    directorUrl: `${base}/director`,
    imageUrl: `${base}/image`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
