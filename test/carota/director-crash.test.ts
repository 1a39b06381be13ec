/**
 * The CarOTA Server is killed in the middle of cycles and restarted on the same data: no report is accepted twice or
 * lost, no version goes back, and no version has two contents.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CAROTA_SCHEMA } from '../../src/carota/schema.js';
import { httpClient } from '../support/adapter.js';
import { newDatabase, type TestDatabase } from '../support/databases.js';
import { isFullDepth } from '../support/depth.js';
import { throwDice } from '../support/dice.js';
import { vinOf } from '../support/messages.js';
import { otaops, type OtaopsProcess } from '../support/process.js';
import { freePort, temporaryDirectory } from '../support/servers.js';
import { type AdapterDouble, MODEL, startAdapterDouble } from './support/test-carota.js';
import { manifestOf, newEcus, registration, type TestEcu } from './support/test-director.js';

const KILLS = 30;
const VEHICLES = 12;

const dice = throwDice();
const dataDir = temporaryDirectory('director-crash');
let adapter: AdapterDouble;
let storage: TestDatabase;
let port: number;
let server: OtaopsProcess;

const start = async () => {
  server = otaops([
    'carota',
    ...['--data-dir', dataDir, '--http-port', String(port), '--database-url', storage.url],
    ...['--adapter-url', adapter.url, '--adapter-token', 'a', '--adapter-control-token', 'b'],
    ...['--log-level', 'warn'],
  ]);
  await server.says(/HTTP interface\s+http/);
};

beforeAll(async () => {
  adapter = await startAdapterDouble();
  storage = await newDatabase(CAROTA_SCHEMA);
  port = await freePort();
  await start();
});
afterAll(async () => {
  server.child.kill('SIGKILL');
  await server.ended;
  await storage.drop();
  await adapter.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

/** A vehicle that remembers every answer. */
class Witness {
  readonly ecus: readonly TestEcu[] = newEcus();
  readonly versions = new Map<string, number>();
  /** By role and version. */
  readonly contents = new Map<string, string>();
  readonly accepted: Buffer[] = [];
  /** The manifest whose answer never came. */
  unanswered: Buffer | undefined;

  constructor(
    readonly vin: string,
    readonly call: ReturnType<typeof httpClient>['call'],
  ) {}

  send(manifest: Buffer) {
    return this.call('POST', `/uptane/director/${this.vin}/manifest`, {
      headers: { 'content-type': 'application/json' },
      body: manifest,
    });
  }

  /** @throws TypeError if the server is gone */
  async cycle(): Promise<void> {
    const manifest = this.unanswered ?? manifestOf(this.vin, this.ecus);
    const isRepeated = this.unanswered !== undefined;
    this.unanswered = manifest;
    const { status, body } = await this.send(manifest);
    this.unanswered = undefined;
    // A manifest that was accepted before its answer was lost is not accepted again.
    if (!isRepeated || status === 204) expect([status, body]).toEqual([204, '']);
    else expect(String(body.errors[0].message)).toMatch(/^nonce/);
    this.accepted.push(manifest);
    const timestamp = await this.fetch('timestamp.json');
    if (!timestamp) return;
    const snapshot = await this.fetch(
      `${timestamp.signed.meta['snapshot.json'].version}.snapshot.json`,
    );
    if (!snapshot) return;
    await this.fetch(`${snapshot.signed.meta['targets.json'].version}.targets.json`);
  }

  /** @returns undefined if the order has changed meanwhile */
  private async fetch(file: string) {
    const { status, body } = await this.call('GET', `/uptane/director/${this.vin}/${file}`);
    if (status === 404) return undefined;
    expect(status).toBe(200);
    const { _type: role, version } = body.signed;
    expect(version).toBeGreaterThanOrEqual(this.versions.get(role) ?? 0);
    this.versions.set(role, version);
    const text = JSON.stringify(body);
    expect(this.contents.get(`${role} ${version}`) ?? text).toBe(text);
    this.contents.set(`${role} ${version}`, text);
    return body;
  }
}

/** The error of fetch if the server is gone; any other error is a fault. */
const isGone = (error: unknown) => error instanceof TypeError;

test.runIf(isFullDepth)(
  'no report is accepted twice or lost, and no version goes back, across kill -9 in the middle of cycles and restarts',
  async () => {
    const token = readFileSync(join(dataDir, 'token'), 'utf8').trim();
    const { call } = httpClient(`http://127.0.0.1:${port}`, token);
    const fleet = Array.from({ length: VEHICLES }, (_, n) => new Witness(vinOf(n, 'CRA'), call));
    const lines = (values: object[]) => ({
      headers: { 'content-type': 'application/x-ndjson' },
      body: values.map((value) => JSON.stringify(value)).join('\n'),
    });
    await call(
      'POST',
      '/v1.0/vehicles/import',
      lines(fleet.map(({ vin }) => ({ vin, model: MODEL }))),
    );
    const ecus = fleet.map(({ vin, ecus: all }) => ({ vin, ecus: all.map(registration) }));
    expect((await call('POST', '/v1.0/ecus/import', lines(ecus))).body.imported).toBe(VEHICLES);
    const upload = await call('POST', '/v1.0/artifacts?name=x&hardwareIds=hw-hu&releaseCounter=1', {
      headers: { 'content-type': 'application/octet-stream' },
      body: Buffer.from('radio 2'),
    });
    const { sha256, md5, size } = upload.body;
    const script = {
      version: 'v1',
      'script-ref-id': 'crash',
      model: MODEL,
      ecus: [{ ecu: 'HU', version: '2', artifact: { sha256, md5, size } }],
    };
    const query = 'hardwareIds=hw-primary&releaseCounter=1';
    expect((await call('POST', `/v1.0/update-scripts?${query}`, { body: script })).status).toBe(
      201,
    );
    const vins = fleet.map(({ vin }) => vin);
    const plan = { 'ref-id': 'crash', 'script-ref-id': 'crash', model: MODEL, vins };
    expect((await call('POST', '/v1.0/schedules', { body: plan })).status).toBe(201);

    for (let kill = 0; kill < KILLS; kill++) {
      let isRunning = true;
      const drive = async (vehicle: Witness) => {
        try {
          while (isRunning) await vehicle.cycle();
        } catch (error) {
          if (!isGone(error)) throw error;
        }
      };
      // The order keeps changing, so that files are signed all the time.
      const control = async () => {
        try {
          for (let n = 0; isRunning; n++) {
            const action = n % 2 === 0 ? 'pause' : 'resume';
            await call('POST', `/v1.0/schedules/crash/${action}`, { body: { reason: 'a test' } });
          }
        } catch (error) {
          if (!isGone(error)) throw error;
        }
      };
      const running = Promise.all([...fleet.map(drive), control()]);
      await Promise.race([sleep(dice.between(150, 1_500)), running]);
      server.child.kill('SIGKILL');
      expect(await server.ended).toBe('SIGKILL');
      isRunning = false;
      await running;
      await start();
    }

    const cycles = fleet.map(({ accepted }) => accepted.length);
    expect(Math.min(...cycles)).toBeGreaterThan(0);
    // Everything that was sent was accepted once: a manifest sent again is recognised, both the newest and the oldest.
    for (const vehicle of fleet) {
      await vehicle.cycle();
      for (const manifest of [vehicle.accepted.at(-1), vehicle.accepted[0]]) {
        if (!manifest) throw new Error('each vehicle has sent one');
        const { status, body } = await vehicle.send(manifest);
        expect(status).toBe(400);
        expect(String(body.errors[0].message)).toMatch(/^(nonce|time)/);
      }
    }
  },
);
