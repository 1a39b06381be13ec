/** Registers a fleet and triggers an operation for it. */
import { type AdapterProcess } from '../../src/bench/adapter-process.js';
import { type FleetVehicle, registrationLine } from '../../src/fleet/index.js';

export async function beginOperation(
  adapter: AdapterProcess,
  fleet: readonly FleetVehicle[],
  refId: string,
): Promise<void> {
  const lines = fleet.map(registrationLine).join('\n');
  await adapter.call('POST', '/v1.0/vehicles/import', lines, 'application/x-ndjson');
  const vins = fleet.map(({ vin }) => vin);
  const body = { model: 'm', 'ref-id': refId, 'script-ref-id': 's', vins };
  await adapter.call('POST', '/v1.0/ota/trigger', { time: Date.now(), version: 'v1', body });
}
