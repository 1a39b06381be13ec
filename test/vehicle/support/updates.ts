/** Setup for tests of updates: a CarOTA double, an update script for one ECU, and vehicles. */
import { afterAll, beforeEach } from 'vitest';
import { type UpdateScript } from '../../../src/update-script/index.js';
import { startCarotaDouble } from './carota-double.js';
import { MODEL } from './platform-double.js';
import { startVehicle, type TestVehicleOptions } from './test-vehicle.js';

/**
 * Call it once at the top level of a test file. The double lasts as long as the file; each test starts without a fault
 * and without requests.
 *
 * @param software that the script installs unless a test names another
 */
export async function updatesOf(software: Buffer) {
  const carota = await startCarotaDouble();
  afterAll(() => carota.close());
  beforeEach(() => {
    carota.fault = undefined;
    carota.requests.length = 0;
  });

  const scriptOf = (fields: Partial<UpdateScript> = {}, installed = software): UpdateScript => ({
    version: 'v1',
    'script-ref-id': 'hu only 001',
    model: MODEL,
    ecus: [{ ecu: 'HU', version: '1.1.0', artifact: carota.artifact(installed) }],
    ...fields,
  });

  /** A vehicle whose script is published. */
  const vehicle = (options: Partial<TestVehicleOptions> = {}, script = scriptOf()) => {
    carota.publish(script);
    return startVehicle({ carota, ...options });
  };
  return { carota, scriptOf, vehicle };
}
