/** Output format of vehicles in operations. */
import { type VehicleInOperation, type VehicleState } from '../../../contract/adapter-api/index.js';
import { printTable } from '../../output.js';

export function printVehicles(items: readonly (VehicleState | VehicleInOperation)[]): void {
  const withRefId = items.some((item) => 'ref-id' in item);
  printTable(
    [...(withRefId ? ['ref-id'] : []), 'vin', 'state', 'attempt', 'sends', 'updated', 'reason'],
    items.map((vehicle) => [
      ...('ref-id' in vehicle ? [vehicle['ref-id']] : []),
      vehicle.vin,
      vehicle.state + (vehicle.paused ? ' (paused)' : ''),
      vehicle.attempt,
      vehicle.sends,
      vehicle.updatedAt,
      vehicle.reason,
    ]),
  );
}
