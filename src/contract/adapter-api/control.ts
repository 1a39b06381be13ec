/** Control of operations: pause, resume, cancel, change, retrigger. Each call is in the audit log. */
import Type from '../typebox.js';
import {
  json,
  jsonBody,
  Nullable,
  optionalJsonBody,
  Reason,
  RefIdParams,
  RefIdVinParams,
  routesOf,
  WithReason,
} from '../http/index.js';
import { StateName, VEHICLE_STATES } from '../states/index.js';
import { Priority, TriggerRate } from './dispatch-options.js';
import { Operation, VehicleState } from './operations.js';

/** A cancelled operation, with the number of triggers that this call cancelled. */
export const CancelledOperation = Type.Object(
  {
    ...Operation.properties,
    stopped: Type.Integer({ description: 'Vehicles whose trigger was cancelled by this call.' }),
    inFlight: Type.Integer({
      description:
        'Of these, vehicles whose trigger was being sent at that moment. If it was sent nevertheless, the vehicle becomes `sent` shortly afterwards instead of `cancelled`.',
    }),
    alreadySent: Type.Integer({
      description: 'Vehicles whose trigger had already been sent: they may still update.',
    }),
  },
  { title: 'CancelledOperation' },
);
/** A value that fits the schema {@link CancelledOperation}. */
export type CancelledOperation = Type.Static<typeof CancelledOperation>;

/** Body of a change of an operation’s rate and priority; absent members stay as they are. */
export const OperationChange = Type.Object(
  {
    priority: Type.Optional(Priority),
    rate: Type.Optional(Nullable(TriggerRate)),
    reason: Type.Optional(Reason),
  },
  { title: 'OperationChange', additionalProperties: false, minProperties: 1 },
);
/** A value that fits the schema {@link OperationChange}. */
export type OperationChange = Type.Static<typeof OperationChange>;

const RetriggerByState = Type.Object(
  {
    state: StateName(
      VEHICLE_STATES,
      'All vehicles in this state; unknown matches every unknown(<number>).',
    ),
    reason: Type.Optional(Reason),
  },
  { title: 'RetriggerByState', additionalProperties: false },
);
const Retriggered = Type.Object(
  { retriggered: Type.Integer({ description: 'Number of vehicles with a new attempt.' }) },
  { title: 'Retriggered' },
);

const CLOSED = ['OPERATION_NOT_FOUND', 'OPERATION_CANCELLED', 'OPERATION_ARCHIVED'] as const;

/** Routes that pause, resume, cancel, change and retrigger. */
export const controlApi = routesOf('Control', {
  pauseOperation: {
    method: 'POST',
    path: '/v1.0/ota/operations/{ref-id}/pause',
    permission: 'control',
    scope: 'operation',
    audit: 'pause',
    summary: 'Send no more triggers until the operation is resumed',
    description: 'Vehicles that already have their trigger continue.',
    params: RefIdParams,
    body: optionalJsonBody(WithReason, 'Why.'),
    answer: json(Operation, 'The operation after the action.'),
    errors: CLOSED,
    repeatable: true,
  },
  resumeOperation: {
    method: 'POST',
    path: '/v1.0/ota/operations/{ref-id}/resume',
    permission: 'control',
    scope: 'operation',
    audit: 'resume',
    summary: 'Resume sending triggers',
    params: RefIdParams,
    body: optionalJsonBody(WithReason, 'Why.'),
    answer: json(Operation, 'The operation after the action.'),
    errors: CLOSED,
    repeatable: true,
  },
  cancelOperation: {
    method: 'POST',
    path: '/v1.0/ota/operations/{ref-id}/cancel',
    permission: 'control',
    scope: 'operation',
    freshSignIn: true,
    audit: 'cancel',
    summary: 'Cancel an operation: triggers not yet sent are never sent',
    description:
      'Vehicles that already have their trigger may continue, and their reports are recorded.',
    params: RefIdParams,
    body: optionalJsonBody(WithReason, 'Why.'),
    answer: json(
      CancelledOperation,
      'Number of cancelled triggers, and the operation after the action.',
    ),
    errors: ['OPERATION_NOT_FOUND', 'OPERATION_ARCHIVED'],
    repeatable: true,
  },
  changeOperation: {
    method: 'PATCH',
    path: '/v1.0/ota/operations/{ref-id}',
    permission: 'control',
    scope: 'operation',
    audit: 'change',
    summary: 'Change the rate and priority of an operation, even while it runs',
    params: RefIdParams,
    body: jsonBody(OperationChange, 'The changes; a `rate` of null removes the limit.'),
    answer: json(Operation, 'The operation after the action.'),
    errors: CLOSED,
  },
  retriggerVehicle: {
    method: 'POST',
    path: '/v1.0/ota/operations/{ref-id}/vehicles/{vin}/retrigger',
    permission: 'control',
    scope: 'operation-vehicle',
    audit: 'retrigger',
    summary: 'Start a new attempt for one vehicle',
    description:
      'A new attempt has a new `message_id`, and the state of the vehicle is that of its new attempt.',
    params: RefIdVinParams,
    body: optionalJsonBody(WithReason, 'Why.'),
    answer: json(VehicleState, 'The vehicle with its new attempt.'),
    errors: [...CLOSED, 'VEHICLE_NOT_IN_OPERATION'],
  },
  retriggerVehicles: {
    method: 'POST',
    path: '/v1.0/ota/operations/{ref-id}/retrigger',
    permission: 'control',
    scope: 'operation',
    audit: 'retrigger',
    summary: 'Start a new attempt for all vehicles in a state',
    description:
      'A new attempt has a new `message_id`, and the state of the vehicle is that of its new attempt.',
    params: RefIdParams,
    body: jsonBody(RetriggerByState, 'State of the vehicles, and reason.'),
    answer: json(Retriggered, 'Number of vehicles with a new attempt.'),
    errors: CLOSED,
  },
});
