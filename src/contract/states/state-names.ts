/** Schemas of the names that states have in requests and answers. */
import Type from '../typebox.js';
import { EVENT_STATUS_NAMES, LIFECYCLE } from './event-status.js';
import { STAGES, UNSUCCESSFUL } from './results.js';
import {
  DELIVERY_STATES,
  SCHEDULE_VEHICLE_STATES,
  UNKNOWN_STATE,
  VEHICLE_STATES,
} from './vehicle-state.js';

/** A status outside the enum is shown as `unknown(<number>)` (contract section 2). */
const Unknown = Type.Unsafe<`unknown(${number})`>(
  Type.String({ pattern: UNKNOWN_STATE, maxLength: 'unknown(65535)'.length }),
);

/** Names, or `unknown(<number>)`. */
const orUnknown = <const Name extends string>(
  names: readonly Name[],
  options: { readonly title?: string; readonly description: string },
) => Type.Union([Type.Enum(names.filter((name) => name !== 'unknown')), Unknown], options);

/** Name of a status that a vehicle has reported (contract section 2). */
export const ReportedStatusName = orUnknown(EVENT_STATUS_NAMES, {
  title: 'ReportedStatusName',
  description: 'Name of a status in the OTA Event Enum, or unknown(<number>).',
});

/** Name of a delivery state (contract section 5.1). */
export const DeliveryStateName = Type.Enum([...DELIVERY_STATES], {
  title: 'DeliveryStateName',
  description: 'Progress of the trigger’s delivery (contract section 5.1).',
});

/** State of a vehicle in an operation (contract section 5). */
export const VehicleStateName = orUnknown(VEHICLE_STATES, {
  title: 'VehicleStateName',
  description:
    'State from the newest event or, without events, from the delivery (contract section 5).',
});
/** A state that fits the schema {@link VehicleStateName}. */
export type VehicleStateName = Type.Static<typeof VehicleStateName>;

/** State under which an operation counts vehicles. */
export const CountedStateName = Type.Enum([...VEHICLE_STATES], {
  title: 'CountedStateName',
  description: 'A VehicleStateName; `unknown` stands for each unknown(<number>).',
});

/** State of a vehicle in a schedule of the CarOTA Server. */
export const ScheduleVehicleStateName = orUnknown(SCHEDULE_VEHICLE_STATES, {
  title: 'ScheduleVehicleStateName',
  description:
    'waiting: its wave has not been posted; triggered: its wave has been posted; device_not_found: not registered at the adapter; otherwise the status of its newest event.',
});
/** A state that fits the schema {@link ScheduleVehicleStateName}. */
export type ScheduleVehicleStateName = Type.Static<typeof ScheduleVehicleStateName>;

/** Finished state in which the update did not succeed. */
export const UnsuccessfulStateName = Type.Enum(
  LIFECYCLE.filter((name) => UNSUCCESSFUL.has(name)),
  {
    title: 'UnsuccessfulStateName',
    description: 'Finished state in which the update did not succeed, for any reason.',
  },
);

/** Stage of an update that every vehicle should pass: what becomes of its trigger, then what it reports. */
export const FunnelStageName = Type.Enum(['triggered', 'sent', 'acknowledged', ...STAGES], {
  title: 'FunnelStageName',
  description: 'triggered, sent, acknowledged, or a status of the OTA Event Enum.',
});

/** A state to select vehicles by; every `unknown(<number>)` is one too. */
export const StateName = (states: readonly string[], description: string) =>
  Type.Union([Type.Enum([...states]), Unknown], { description });
