/** Registers a fleet and triggers an operation for it. */
import { type AdapterProcess } from '../../src/test-bed/index.js';
import { registryApi, triggerApi } from '../../src/contract/adapter-api/index.js';
import { type FleetVehicle, registrationLine } from '../../src/fleet/index.js';

export async function beginOperation(
  adapter: AdapterProcess,
  fleet: readonly FleetVehicle[],
  refId: string,
): Promise<void> {
  const lines = fleet.map(registrationLine).join('\n');
  await adapter.client.call(registryApi.importVehicles, {
    content: { type: 'application/x-ndjson', body: lines },
  });
  const vins = fleet.map(({ vin }) => vin);
  const body = { model: 'm', 'ref-id': refId, 'script-ref-id': 's', vins };
  await adapter.client.call(triggerApi.trigger, {
    body: { time: Date.now(), version: 'v1', body },
  });
}
