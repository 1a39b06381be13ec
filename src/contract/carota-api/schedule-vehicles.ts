/** `/v1.0/schedules/{ref-id}/vehicles`: the vehicles of a schedule. */
import Type from 'typebox';
import {
  json,
  linesBody,
  Nullable,
  pageOf,
  PageQuery,
  RefIdParams,
  RefIdVinParams,
  routesOf,
} from '../http/index.js';
import { SCHEDULE_VEHICLE_STATES, StateName } from '../states/index.js';
import { EVENTS } from './vehicle-events.js';

export const ScheduleVehicleStateName = Type.Union(
  [Type.Enum([...SCHEDULE_VEHICLE_STATES]), Type.String({ pattern: '^unknown\\([0-9]{1,5}\\)$' })],
  {
    title: 'ScheduleVehicleStateName',
    description:
      'waiting: its wave has not been posted; triggered: it has; device_not_found: the adapter does not know it; otherwise the status of its newest event.',
  },
);

/** As many as a column of type integer takes. */
const MAX_WAVE = 2 ** 31 - 1;

export const ScheduleVehicle = Type.Object(
  {
    vin: Type.String(),
    wave: Type.Integer({ description: '0: the schedule has not started.' }),
    state: ScheduleVehicleStateName,
    reason: Nullable(
      Type.String({ description: 'In the vehicle’s words, where its newest event says so.' }),
    ),
  },
  { title: 'ScheduleVehicle' },
);
export type ScheduleVehicle = Type.Static<typeof ScheduleVehicle>;

export const ScheduleVehicleWithEvents = Type.Object(
  { ...ScheduleVehicle.properties, ...EVENTS },
  { title: 'ScheduleVehicleWithEvents' },
);
export type ScheduleVehicleWithEvents = Type.Static<typeof ScheduleVehicleWithEvents>;

const AddedVehicles = Type.Object(
  { vehicles: Type.Integer({ description: 'Number of lines.' }) },
  { title: 'AddedVehicles' },
);

export const scheduleVehicleApi = routesOf('Schedules', {
  listScheduleVehicles: {
    method: 'GET',
    path: '/v1.0/schedules/{ref-id}/vehicles',
    permission: 'read',
    summary: 'List the vehicles of a schedule in the order of their VINs',
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
    }),
    answer: json(pageOf(ScheduleVehicle), 'A page of vehicles.'),
    errors: ['SCHEDULE_NOT_FOUND'],
  },
  addScheduleVehicles: {
    method: 'POST',
    path: '/v1.0/schedules/{ref-id}/vehicles',
    permission: 'plan',
    load: 'upload',
    summary: 'Add vehicles to a schedule that has not started',
    description:
      'CSV or NDJSON with a field `vin`. All or nothing: if any line is faulty, none is taken.',
    params: RefIdParams,
    body: linesBody('One vehicle per line.'),
    answer: json(AddedVehicles, 'All lines were taken.'),
    errors: ['SCHEDULE_NOT_FOUND', 'SCHEDULE_STATUS', 'SCHEDULE_APPROVED'],
    repeatable: true,
  },
  getScheduleVehicle: {
    method: 'GET',
    path: '/v1.0/schedules/{ref-id}/vehicles/{vin}',
    permission: 'read',
    summary: 'Tell what happened to one vehicle in a schedule',
    params: RefIdVinParams,
    answer: json(ScheduleVehicleWithEvents, 'The vehicle in this schedule.'),
    errors: ['SCHEDULE_NOT_FOUND', 'VEHICLE_NOT_FOUND'],
  },
});
