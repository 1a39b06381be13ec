/** `/v1.0/schedules/{ref-id}/vehicles`: the vehicles of a schedule. */
import { OTHER_VIN, VIN } from '../campaign.js';
import Type from '../typebox.js';
import {
  json,
  linesBody,
  Nullable,
  pageOf,
  PageQuery,
  RefIdParams,
  RefIdVinParams,
  routesOf,
  Time,
} from '../http/index.js';
import { SCHEDULE_VEHICLE_STATES, ScheduleVehicleStateName, StateName } from '../states/index.js';
import { ExposureResult } from './guard.js';
import { EVENTS } from './vehicle-events.js';

/** As many as a column of type integer takes. */
const MAX_WAVE = 2 ** 31 - 1;

/** State of a vehicle in a schedule. */
export const ScheduleVehicle = Type.Object(
  {
    vin: Type.String(),
    wave: Type.Integer({ description: '0: the schedule has not started.' }),
    state: ScheduleVehicleStateName,
    reason: Nullable(Type.String({ description: 'Reason given in the vehicle’s newest event.' })),
    askedAt: Nullable(Time),
    place: Nullable(
      Type.Integer({ description: 'In the order of exposure, from 1; null: not exposed.' }),
    ),
    exposedAt: Nullable(Time),
    result: Nullable(ExposureResult),
    decidesAt: Nullable(
      Time,
      'When it will count as silent or, in state success, as succeeded; null: no deadline.',
    ),
    silentAt: Nullable(Time, 'When it became silent.'),
    tries: Type.Integer({ description: 'Number of retries.' }),
    retryAt: Nullable(Time),
  },
  { title: 'ScheduleVehicle' },
);
/** A value that fits the schema {@link ScheduleVehicle}. */
export type ScheduleVehicle = Type.Static<typeof ScheduleVehicle>;

/** State of a vehicle in a schedule, with its events. */
export const ScheduleVehicleWithEvents = Type.Object(
  { ...ScheduleVehicle.properties, ...EVENTS },
  { title: 'ScheduleVehicleWithEvents' },
);
/** A value that fits the schema {@link ScheduleVehicleWithEvents}. */
export type ScheduleVehicleWithEvents = Type.Static<typeof ScheduleVehicleWithEvents>;

/** The answer to a vehicle that is about to download (contract section 10). */
export const Admission = Type.Object(
  {
    admitted: Type.Boolean({
      description: 'Whether the vehicle may download and install. If so, it is exposed.',
    }),
    retryAfter: Nullable(
      Type.Integer({ description: 'If not admitted: seconds to wait before the next request.' }),
    ),
    reason: Type.String({ description: 'Why the vehicle is not admitted; empty otherwise.' }),
  },
  { title: 'Admission' },
);
export type Admission = Type.Static<typeof Admission>;

const AddedVehicles = Type.Object(
  { vehicles: Type.Integer({ description: 'Number of lines.' }) },
  { title: 'AddedVehicles' },
);

/** Routes for the vehicles of a schedule. */
export const scheduleVehicleApi = routesOf('Schedules', {
  admitVehicle: {
    method: 'POST',
    path: '/v1.0/schedules/{ref-id}/vehicles/{vin}/admission',
    permission: 'fetch',
    scope: 'unscoped-only',
    unaudited: 'a vehicle requests admission; the schedule stores its exposure',
    summary: 'Ask whether a vehicle may download and install now',
    description:
      'A vehicle requests admission before it downloads, and again before it activates the installed software. Its first admission fixes its place in the order of exposure; repeating the request changes nothing. If the exposure cap is reached, or the schedule is paused or held, the answer says when to repeat the request. If the schedule has ended, the error SCHEDULE_STATUS means that the vehicle must not install.',
    params: RefIdVinParams,
    answer: json(Admission, 'Whether it is admitted.'),
    errors: ['SCHEDULE_NOT_FOUND', 'VEHICLE_NOT_FOUND', 'SCHEDULE_STATUS'],
    repeatable: true,
  },
  listScheduleVehicles: {
    method: 'GET',
    path: '/v1.0/schedules/{ref-id}/vehicles',
    permission: 'read',
    scope: 'schedule',
    summary: 'List the vehicles of a schedule, sorted by VIN',
    params: RefIdParams,
    query: Type.Object({
      ...PageQuery.properties,
      state: Type.Optional(
        StateName(
          SCHEDULE_VEHICLE_STATES,
          'Only vehicles in this state; unknown(<number>) is one too.',
        ),
      ),
      wave: Type.Optional(
        Type.Integer({ minimum: 0, maximum: MAX_WAVE, description: 'Only vehicles of this wave.' }),
      ),
      result: Type.Optional(ExposureResult),
    }),
    answer: json(pageOf(ScheduleVehicle), 'A page of vehicles.'),
    errors: ['SCHEDULE_NOT_FOUND'],
  },
  addScheduleVehicles: {
    method: 'POST',
    path: '/v1.0/schedules/{ref-id}/vehicles',
    permission: 'plan',
    scope: 'schedule',
    audit: 'add-schedule-vehicles',
    load: 'upload',
    summary: 'Add vehicles to a schedule that has not started',
    description:
      'CSV or NDJSON with a field `vin`. All or nothing: one faulty line rejects the whole import.',
    params: RefIdParams,
    body: linesBody('One vehicle per line.', {
      csv: `vin\n${VIN}\n${OTHER_VIN}\n`,
      ndjson: `${JSON.stringify({ vin: VIN })}\n`,
    }),
    answer: json(AddedVehicles, 'All vehicles were added.'),
    errors: ['OUT_OF_SCOPE', 'SCHEDULE_NOT_FOUND', 'SCHEDULE_STATUS', 'SCHEDULE_APPROVED'],
    repeatable: true,
  },
  getScheduleVehicle: {
    method: 'GET',
    path: '/v1.0/schedules/{ref-id}/vehicles/{vin}',
    permission: 'read',
    scope: 'schedule-vehicle',
    summary: 'Get the state and history of one vehicle in a schedule',
    params: RefIdVinParams,
    answer: json(ScheduleVehicleWithEvents, 'The vehicle in this schedule.'),
    errors: ['SCHEDULE_NOT_FOUND', 'VEHICLE_NOT_FOUND'],
  },
});
