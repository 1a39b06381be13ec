/**
 * The agent is killed (SIGKILL) at each operation on its certificate files, during enrolment and renewal. At every
 * moment its files hold a pair that the server accepts, or it can get one with the code that it has already used.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CertificateStore, ClientTls } from '../../src/vehicle/index.js';
import { tlsFetch } from '../../src/vehicle/tls-fetch.js';
import {
  type AdapterDouble,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../carota/support/test-carota.js';
import { bundled } from '../support/bundle.js';
import { byDepth, hasTurn, seed } from '../support/depth.js';
import { vinOf } from '../support/messages.js';
import { OpensslAuthority } from '../support/openssl-authority.js';
import { temporaryDirectory } from '../support/servers.js';

const SCRIPT_OF_CHILD = fileURLToPath(new URL('support/mortal-certificate.mjs', import.meta.url));
let child: string;
let ca: string;
let double: AdapterDouble;
let carota: TestCarota;

interface Settings {
  readonly directory: string;
  readonly url: string;
  readonly systemId: string;
  readonly code: string;
  readonly ca: string;
}

/** @returns its exit code, or the signal that killed it */
const live = (settings: Settings & { readonly killAt?: number }) =>
  new Promise<number | string | null>((resolve, reject) => {
    const started = spawn(process.execPath, [child, JSON.stringify(settings)], {
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: 60_000,
    });
    started.on('error', reject);
    started.on('close', (code, signal) => resolve(signal ?? code));
  });

let number = 0;
async function newVehicle(): Promise<Settings & { readonly vin: string }> {
  const vin = vinOf(++number, 'CUT');
  const systemId = `c2c-sys-${vin}`;
  await carota.call('PUT', `/v1.0/vehicles/${vin}`, {
    body: { model: MODEL, system_id: systemId },
  });
  const { code } = (await carota.call('POST', `/v1.0/vehicles/${vin}/enrolment-codes`)).body;
  const directory = temporaryDirectory('certificate');
  return { vin, systemId, code, directory, url: carota.carota.vehicleUrl ?? '', ca };
}

/** The agent with the files on disk. */
async function directorAnswers({ vin, url, directory }: Awaited<ReturnType<typeof newVehicle>>) {
  const stored = new CertificateStore(directory).read();
  if (!stored) return 'no certificate';
  const { cert, key } = stored;
  const send = tlsFetch(new ClientTls({ ca, cert, key }));
  return (await send(`${url}/uptane/director/${vin}/1.root.json`)).status;
}

/** More operations than an enrolment and a renewal have, so that the last ones are beyond the end. */
const OPERATIONS = 20;
const STEP = byDepth({ quick: 16, full: 1 });
const first = byDepth({ quick: 1 + (seed % 16), full: 1 });

// One of the three files about power cuts in each quick run.
describe.runIf(hasTurn(2))('the agent is killed', () => {
  beforeAll(async () => {
    child = await bundled(SCRIPT_OF_CHILD);
    const servers = new OpensslAuthority('Servers');
    ca = readFileSync(servers.ca, 'utf8');
    const { cert, key } = servers.server();
    double = await startAdapterDouble();
    carota = await startTestCarota(double.url, {
      vehiclePort: 0,
      vehicleTls: { cert, key, ca: undefined },
      enrolmentCa: join(temporaryDirectory('enrolment'), 'authority'),
      certificateDays: 1,
    });
  });
  afterAll(async () => {
    await carota.stop();
    await double.stop();
  });

  test.each(
    Array.from({ length: Math.floor((OPERATIONS - first) / STEP) + 1 }, (_, n) => first + n * STEP),
  )('at operation %i, and continues after a restart', async (killAt) => {
    const vehicle = await newVehicle();
    const ended = await live({ ...vehicle, killAt });
    expect(['SIGKILL', 0]).toContain(ended);
    // The pair on disk is complete and valid.
    expect([200, 'no certificate']).toContain(await directorAnswers(vehicle));
    expect(await live(vehicle)).toBe(0);
    expect(await directorAnswers(vehicle)).toBe(200);
  });

  test('only at operations that exist, not beyond the last one', async () => {
    expect(await live({ ...(await newVehicle()), killAt: 1 })).toBe('SIGKILL');
    expect(await live({ ...(await newVehicle()), killAt: OPERATIONS })).toBe(0);
  });
});
