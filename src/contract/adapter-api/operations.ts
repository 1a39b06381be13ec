/** `/v1.0/ota/operations`: where operations and their vehicles stand. */
import Type from '../typebox.js';
import {
  json,
  listOf,
  Nullable,
  pageOf,
  PageQuery,
  RefIdParams,
  RefIdVinParams,
  routesOf,
  Time,
  TimeOf,
  VinPrefix,
} from '../http/index.js';
import { MetaField } from '../mqtt/meta.js';
import { EventStatus } from '../mqtt/ota-event.js';
import {
  CountedStateName,
  DeliveryStateName,
  ReportedStatusName,
  StateName,
  VEHICLE_STATES,
  VehicleStateName,
} from '../states/index.js';
import { Text } from '../values/text.js';
import { AckRequired, Priority, TriggerRate, Ttl } from './dispatch-options.js';

/** Vehicles in each state; states without vehicles are left out. */
export const States = Type.Record(Type.String(), Type.Integer(), {
  title: 'States',
  propertyNames: CountedStateName,
  description: 'Number of vehicles in each state; states without vehicles are omitted.',
});
export type States = Type.Static<typeof States>;

/** An operation and its progress. */
export const Operation = Type.Object(
  {
    'ref-id': Type.String(),
    model: Type.String(),
    'script-ref-id': Type.String(),
    status: Type.Enum(['active', 'paused', 'cancelled', 'finished'], {
      description:
        'finished: no vehicle is open. A retrigger or an added vehicle makes the operation active again.',
    }),
    scheduledAt: Time,
    createdAt: Time,
    archivedAt: Nullable(Time),
    priority: Priority,
    rate: Nullable(TriggerRate),
    ttl: Ttl,
    ack_required: AckRequired,
    vehicles: Type.Integer({ description: 'All vehicles; each is in exactly one state.' }),
    states: States,
    paused: Type.Integer({ description: 'Vehicles whose newest event is pause.' }),
    finished: Type.Integer({
      description: 'Vehicles finished, with or without success (contract section 5.5).',
    }),
    succeeded: Type.Integer(),
    failed: Type.Integer({
      description: 'Vehicles finished without success, except by a person’s decision.',
    }),
    open: Type.Integer({
      description: 'Vehicles that have not finished.',
    }),
    finishedPerMinute: Type.Number({
      description:
        'Vehicles finished per minute, over the last five minutes; 0 once no vehicle is open.',
    }),
  },
  {
    title: 'Operation',
  },
);
/** A value that fits the schema {@link Operation}. */
export type Operation = Type.Static<typeof Operation>;

/** State of a vehicle in an operation (contract section 5). */
export const VehicleState = Type.Object(
  {
    vin: Type.String(),
    state: VehicleStateName,
    paused: Type.Boolean(),
    delivery: DeliveryStateName,
    attempt: Type.Integer(),
    reason: Nullable(Type.String({ description: 'Reason given in the vehicle’s newest event.' })),
    sends: Type.Integer({ description: 'Number of times the trigger of this attempt was sent.' }),
    triggerMessageId: Type.String(),
    triggeredAt: Time,
    lastSentAt: Nullable(Time),
    acknowledgedAt: Nullable(Time),
    eventAt: Nullable(Time),
    updatedAt: Time,
  },
  {
    title: 'VehicleState',
  },
);
/** A value that fits the schema {@link VehicleState}. */
export type VehicleState = Type.Static<typeof VehicleState>;

/** One event of a vehicle in an operation. */
export const HistoryEntry = Type.Object(
  {
    kind: Type.Enum(['ack', 'event']),
    message_id: Type.String(),
    correlation_id: Type.String(),
    attempt: Type.Integer(),
    status: Nullable(EventStatus),
    'status-name': Nullable(ReportedStatusName),
    eventAt: TimeOf('By the vehicle’s clock where that is plausible (contract section 5.3).'),
    'received-at': Time,
    sub_system_id: Type.String(),
    device_id: Type.String(),
    device_type: Type.String(),
    meta: Type.Array(MetaField),
    envelope: Nullable(
      Type.String({
        description: 'The message verbatim, if it has fields beyond those of the contract.',
      }),
    ),
  },
  { title: 'HistoryEntry' },
);

/** A value that fits the schema {@link HistoryEntry}. */
export type HistoryEntry = Type.Static<typeof HistoryEntry>;

/** State of a vehicle in an operation, with all of its events. */
export const VehicleWithHistory = Type.Object(
  { ...VehicleState.properties, history: Type.Array(HistoryEntry) },
  { title: 'VehicleWithHistory' },
);
/** A value that fits the schema {@link VehicleWithHistory}. */
export type VehicleWithHistory = Type.Static<typeof VehicleWithHistory>;

/** Which vehicles of an operation are listed, counted or exported. */
export const VehicleFilter = Type.Object({
  state: Type.Optional(
    StateName(
      VEHICLE_STATES,
      'Only vehicles in this state; unknown matches every unknown(<number>).',
    ),
  ),
  reason: Type.Optional(Text(1_000, 'Only vehicles with exactly this reason.')),
  vin: Type.Optional(VinPrefix),
  text: Type.Optional(Text(100, 'Only vehicles whose VIN or reason contains this text.')),
});
/** A value that fits the schema {@link VehicleFilter}. */
export type VehicleFilter = Type.Static<typeof VehicleFilter>;

const VehiclesQuery = Type.Object({
  ...PageQuery.properties,
  offset: Type.Integer({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 0,
    description: 'Number of vehicles to skip, for scrolling tables.',
  }),
  ...VehicleFilter.properties,
});

const VehicleCount = Type.Object({ vehicles: Type.Integer() }, { title: 'VehicleCount' });

/** Number of vehicles in each state at one time. */
export const Sample = Type.Object({ at: Time, states: States }, { title: 'Sample' });
/** A value that fits the schema {@link Sample}. */
export type Sample = Type.Static<typeof Sample>;

/** Routes that read operations and their vehicles. */
export const operationApi = routesOf('Operations', {
  listOperations: {
    method: 'GET',
    path: '/v1.0/ota/operations',
    permission: 'read',
    scope: 'filtered',
    summary: 'List the operations, newest first',
    query: PageQuery,
    answer: json(pageOf(Operation), 'A page of operations.'),
  },
  getOperation: {
    method: 'GET',
    path: '/v1.0/ota/operations/{ref-id}',
    permission: 'read',
    scope: 'operation',
    summary: 'Get an operation and its progress',
    params: RefIdParams,
    answer: json(Operation, 'The operation.'),
    errors: ['OPERATION_NOT_FOUND'],
  },
  listOperationVehicles: {
    method: 'GET',
    path: '/v1.0/ota/operations/{ref-id}/vehicles',
    permission: 'read',
    scope: 'operation',
    load: 'search',
    loadWith: 'text',
    summary: 'List the vehicles of an operation in VIN order',
    params: RefIdParams,
    query: VehiclesQuery,
    answer: json(pageOf(VehicleState), 'A page of vehicles.'),
    errors: ['OPERATION_NOT_FOUND', 'OPERATION_ARCHIVED'],
  },
  countOperationVehicles: {
    method: 'GET',
    path: '/v1.0/ota/operations/{ref-id}/vehicle-count',
    permission: 'read',
    scope: 'operation',
    load: 'search',
    loadWith: 'text',
    summary: 'Count the matching vehicles of an operation',
    params: RefIdParams,
    query: VehicleFilter,
    answer: json(VehicleCount, 'Their number.'),
    errors: ['OPERATION_NOT_FOUND', 'OPERATION_ARCHIVED'],
  },
  listSamples: {
    method: 'GET',
    path: '/v1.0/ota/operations/{ref-id}/samples',
    permission: 'read',
    scope: 'operation',
    summary: 'List the number of vehicles in each state over time',
    description:
      'Samples are taken when counts change: at first every two seconds, sparser with age, about 600 at most. The last sample is current.',
    params: RefIdParams,
    answer: json(listOf(Sample), 'Samples, oldest first.'),
    errors: ['OPERATION_NOT_FOUND'],
  },
  getOperationVehicle: {
    method: 'GET',
    path: '/v1.0/ota/operations/{ref-id}/vehicles/{vin}',
    permission: 'read',
    scope: 'operation-vehicle',
    summary: 'Get the state and the full history of a vehicle in an operation',
    params: RefIdVinParams,
    answer: json(VehicleWithHistory, 'The vehicle in this operation.'),
    errors: ['OPERATION_NOT_FOUND', 'OPERATION_ARCHIVED', 'VEHICLE_NOT_IN_OPERATION'],
  },
});
