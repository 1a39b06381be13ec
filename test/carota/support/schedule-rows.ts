/** Schedules, waves and vehicles as they are stored, for tests without a database. */
import {
  type LockedRow,
  type TrackedVehicle,
  type WaveRow,
} from '../../../src/carota/schedules/index.js';
import { type SchedulePlan } from '../../../src/contract/carota-api/index.js';

/** A vehicle that has not been triggered yet. */
export const fresh = (vin: string): TrackedVehicle => ({
  ...{ vin, wave: 1, state: 'waiting', reason: null, at: null, rank: null, id: null },
  ...{ hasConsented: false, place: null, exposure: undefined, askedAt: undefined, tries: 0 },
  ...{ retryAt: undefined, retryFrom: undefined },
});
/** A wave that the adapter has. */
export const waveOf = (vehicles: number): WaveRow => ({
  ...{ number: 1, vehicles, state: 'running', posted_at: new Date(0), passed_at: null },
  ...{ rejected: 0, finished: 0, exposed: 0, undecided: 0, succeeded: 0, failed: 0, silent: 0 },
  ...{ withdrawn: 0, failed_early: 0, rollback_failed: 0 },
});
/** A running schedule. */
export const rowOf = (plan: SchedulePlan): LockedRow => ({
  ...{ id: 1, ref_id: 'r', script_ref_id: 's', model: 'm', plan, status: 'running' },
  ...{
    test_number: 1,
    test_from: 1,
    stop_place: null,
    grace_until: null,
    exposed: 0,
    passed: 0,
    gone_wave: 0,
  },
  ...{ operation: 'active', intended: null, intended_at: null, intended_tries: 0 },
  ...{ due_at: null, reason: '', created_by: 'p', approved_at: null, approved_by: null },
  ...{ approved_digest: null, approved_script: null, started_at: new Date(0), ended_at: null },
});
