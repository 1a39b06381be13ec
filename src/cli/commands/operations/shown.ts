/** Operations and vehicles as the adapter tells them, and how they are printed. */
import type { ProgressShown } from '../../../quickstart/progress-view.js';
import { printTable } from '../../output.js';

export interface OperationShown extends ProgressShown {
  readonly status: string;
  readonly createdAt: string;
  readonly priority: number;
  readonly rate: { readonly perSecond: number } | null;
  readonly open: number;
}

export interface VehicleShown {
  readonly 'ref-id'?: string;
  readonly vin: string;
  readonly state: string;
  readonly paused: boolean;
  readonly attempt: number;
  readonly sends: number;
  readonly reason: string | null;
  readonly updatedAt: string;
}

/** Path of the operations. */
export const OPERATIONS = ['ota', 'operations'];

export function printVehicles(items: readonly VehicleShown[]): void {
  const withRefId = items.some((item) => item['ref-id'] !== undefined);
  printTable(
    [...(withRefId ? ['ref-id'] : []), 'vin', 'state', 'attempt', 'sends', 'updated', 'reason'],
    items.map((vehicle) => [
      ...(withRefId ? [vehicle['ref-id']] : []),
      vehicle.vin,
      vehicle.state + (vehicle.paused ? ' (paused)' : ''),
      vehicle.attempt,
      vehicle.sends,
      vehicle.updatedAt,
      vehicle.reason,
    ]),
  );
}
