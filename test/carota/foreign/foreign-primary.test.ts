/** A Primary written in Python, with other cryptography and its own canonical JSON, through a whole cycle. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { vinOf } from '../../support/messages.js';
import { ifInstalled } from '../../support/servers.js';
import { tufPython } from '../../uptane/foreign/python.js';
import { MODEL } from '../support/test-carota.js';
import { DirectorWorld } from '../support/test-director.js';

const run = promisify(execFile);

/** The system's Python, or that of other tests; either one with the package `cryptography`. */
const python = await ifInstalled(async () => {
  const hasCryptography = await run('python3', ['-c', 'import cryptography']).then(
    () => true,
    () => false,
  );
  return hasCryptography ? 'python3' : tufPython();
});

describe.runIf(python)('a Primary in Python', () => {
  const vin = vinOf(1, 'SAL');
  let world: DirectorWorld;

  beforeAll(async () => {
    world = await DirectorWorld.start();
    await world.carota.call('PUT', `/v1.0/vehicles/${vin}`, { body: { model: MODEL } });
    await world.publish({ scriptRefId: 'foreign', images: { HU: 'radio', TCU: 'modem' } });
    await world.schedule('foreign', [vin]);
  });
  afterAll(async () => world.stop());

  test('registers, gets the time, reports, receives an order of images, and reports them', async () => {
    const { carota, dataDir, token } = world.carota;
    const body = { name: 'a vehicle', role: 'vehicle', vin };
    const vehicle = (await world.carota.call('POST', '/v1.0/tokens', { body })).body.token;
    const { stdout } = await run(python ?? '', [
      fileURLToPath(new URL('primary.py', import.meta.url)),
      ...[carota.httpUrl, token, vehicle, vin, join(dataDir, 'director', 'metadata')],
    ]);
    expect(JSON.parse(stdout)).toEqual({
      statuses: [204, 400, 204],
      listed: ['H-1', 'P 1/ü', 'T-1'],
    });
    const { ecus } = await world.ecus(vin);
    expect(ecus.map(({ standing }: any) => standing)).toEqual(Array(3).fill('as-ordered'));
  });
});
