/** `/v1.0/ota/operations`: where operations and their vehicles stand. */
import Type from 'typebox';
import {
  json,
  Nullable,
  pageOf,
  PageQuery,
  RefIdParams,
  RefIdVinParams,
  routesOf,
  Time,
  VinPrefix,
} from '../http/index.js';
import { DeliveryStateName, StateName, VEHICLE_STATES, VehicleStateName } from '../states/index.js';
import { Text } from '../values/text.js';
import { Priority, TriggerRate } from './dispatch-options.js';

/** How many vehicles are in each state; those that no vehicle is in are left out. */
export const States = Type.Record(Type.String(), Type.Integer(), { title: 'States' });

export const Operation = Type.Object(
  {
    'ref-id': Type.String(),
    model: Type.String(),
    'script-ref-id': Type.String(),
    status: Type.Enum(['active', 'paused', 'cancelled', 'finished'], {
      description:
        'finished: no vehicle is open. A retrigger, or a vehicle that is added, makes it active again.',
    }),
    scheduledAt: Time,
    createdAt: Time,
    archivedAt: Nullable(Time),
    priority: Priority,
    rate: Nullable(TriggerRate),
    ttl: Type.Integer({ description: 'Seconds; -1 = never.' }),
    ackRequired: Type.Boolean(),
    vehicles: Type.Integer({ description: 'All vehicles; each is in exactly one state.' }),
    states: States,
    paused: Type.Integer({ description: 'Vehicles whose newest event is pause.' }),
    finished: Type.Integer({ description: 'Come to an end, with or without success.' }),
    succeeded: Type.Integer(),
    failed: Type.Integer({ description: 'Ended without success, not by a person.' }),
    open: Type.Integer({
      description: 'Something is still to come from them or to be sent to them.',
    }),
    finishedPerMinute: Type.Number({
      description: 'Vehicles finished per minute, over the last five minutes; 0 once none is open.',
    }),
  },
  { title: 'Operation' },
);
export type Operation = Type.Static<typeof Operation>;

export const VehicleState = Type.Object(
  {
    vin: Type.String(),
    state: VehicleStateName,
    paused: Type.Boolean(),
    delivery: DeliveryStateName,
    attempt: Type.Integer(),
    reason: Nullable(
      Type.String({ description: 'In the vehicle’s words, where its newest event says so.' }),
    ),
    sends: Type.Integer({ description: 'How often the trigger of this attempt was sent.' }),
    triggerMessageId: Type.String(),
    triggeredAt: Time,
    lastSentAt: Nullable(Time),
    acknowledgedAt: Nullable(Time),
    eventAt: Nullable(Time),
    updatedAt: Time,
  },
  { title: 'VehicleState' },
);
export type VehicleState = Type.Static<typeof VehicleState>;

const HistoryEntry = Type.Object(
  {
    kind: Type.Enum(['ack', 'event']),
    message_id: Type.String(),
    correlation_id: Type.String(),
    attempt: Type.Integer(),
    status: Nullable(Type.Integer()),
    statusName: Nullable(Type.String()),
    eventAt: Time,
    receivedAt: Time,
    sub_system_id: Type.String(),
    device_id: Type.String(),
    device_type: Type.String(),
    meta: Type.Array(Type.Object({ key: Type.String(), value: Type.String() })),
    envelope: Nullable(
      Type.String({ description: 'As it came, if it has fields that are not the contract’s.' }),
    ),
  },
  { title: 'HistoryEntry' },
);

export const VehicleWithHistory = Type.Object(
  { ...VehicleState.properties, history: Type.Array(HistoryEntry) },
  { title: 'VehicleWithHistory' },
);

export const VehicleFilter = Type.Object({
  state: Type.Optional(
    StateName(VEHICLE_STATES, 'Only vehicles in this state; unknown: in any unknown(<number>).'),
  ),
  reason: Type.Optional(Text(1_000, 'Only with this reason, as it was given.')),
  vin: Type.Optional(VinPrefix),
  text: Type.Optional(Text(100, 'Only with it in the VIN or in the reason.')),
});
export type VehicleFilter = Type.Static<typeof VehicleFilter>;

const VehiclesQuery = Type.Object({
  ...PageQuery.properties,
  offset: Type.Integer({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 0,
    description: 'Begins so many vehicles later: for tables that are scrolled.',
  }),
  ...VehicleFilter.properties,
});

const Sample = Type.Object({ at: Time, states: States }, { title: 'Sample' });

export const operationApi = routesOf('Operations', {
  listOperations: {
    method: 'GET',
    path: '/v1.0/ota/operations',
    permission: 'read',
    summary: 'List the operations, newest first',
    query: PageQuery,
    answer: json(pageOf(Operation), 'A page of operations.'),
  },
  getOperation: {
    method: 'GET',
    path: '/v1.0/ota/operations/{refId}',
    permission: 'read',
    summary: 'Tell how far an operation has come',
    params: RefIdParams,
    answer: json(Operation, 'The operation.'),
    errors: ['OPERATION_NOT_FOUND'],
  },
  listOperationVehicles: {
    method: 'GET',
    path: '/v1.0/ota/operations/{refId}/vehicles',
    permission: 'read',
    summary: 'List the vehicles of an operation in the order of their VINs',
    params: RefIdParams,
    query: VehiclesQuery,
    answer: json(pageOf(VehicleState), 'A page of vehicles.'),
    errors: ['OPERATION_NOT_FOUND', 'OPERATION_ARCHIVED'],
  },
  countOperationVehicles: {
    method: 'GET',
    path: '/v1.0/ota/operations/{refId}/vehicle-count',
    permission: 'read',
    summary: 'Count the vehicles of an operation that match',
    params: RefIdParams,
    query: VehicleFilter,
    answer: json(Type.Object({ vehicles: Type.Integer() }), 'Their number.'),
    errors: ['OPERATION_NOT_FOUND', 'OPERATION_ARCHIVED'],
  },
  listSamples: {
    method: 'GET',
    path: '/v1.0/ota/operations/{refId}/samples',
    permission: 'read',
    summary: 'Tell how many vehicles were in each state, over time',
    description:
      'Taken while they change, every two seconds at first and seldom when it is old; at most about 600 are told. The last is of now.',
    params: RefIdParams,
    answer: json(Type.Object({ items: Type.Array(Sample) }), 'Oldest first.'),
    errors: ['OPERATION_NOT_FOUND'],
  },
  getOperationVehicle: {
    method: 'GET',
    path: '/v1.0/ota/operations/{refId}/vehicles/{vin}',
    permission: 'read',
    summary: 'Tell the state and the full history of one vehicle',
    params: RefIdVinParams,
    answer: json(VehicleWithHistory, 'The vehicle in this operation.'),
    errors: ['OPERATION_NOT_FOUND', 'OPERATION_ARCHIVED', 'VEHICLE_NOT_IN_OPERATION'],
  },
});
