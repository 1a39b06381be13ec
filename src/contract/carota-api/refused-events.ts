/** `/v1.0/refused-events`: events that were called back and could not be taken, and another try for them. */
import Type from 'typebox';
import {
  PUT_ASIDE_FILTER,
  PutAsideParams,
  REPLAY_OPTIONS,
  REPLAY_TALLY,
  REPLAYED_FILTER,
} from '../common-api/put-aside.js';
import { json, jsonBody, Nullable, pageOf, PageQuery, routesOf, Time } from '../http/index.js';
import { OptionalIdentifier } from '../values/text.js';

export const REFUSAL_REASONS = ['INVALID_EVENT', 'REFUSED_BY_DATABASE', 'NOT_APPLIED'] as const;
export const RefusalReason = Type.Enum([...REFUSAL_REASONS], {
  title: 'RefusalReason',
  description:
    'INVALID_EVENT: not an event of the contract; REFUSED_BY_DATABASE: the database rejects its values; NOT_APPLIED: applying it to its schedule failed.',
});
export type RefusalReason = Type.Static<typeof RefusalReason>;

export const RefusedEvent = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    refusedAt: Time,
    'event-id': Nullable(Type.String()),
    'ref-id': Nullable(Type.String()),
    vin: Nullable(Type.String()),
    reason: RefusalReason,
    path: Type.String({ description: 'JSON Pointer to the fault in the event.' }),
    detail: Type.String(),
    event: Type.String({ description: 'JSON text as it was received.' }),
    replayedAt: Nullable(Time),
  },
  { title: 'RefusedEvent' },
);
export type RefusedEvent = Type.Static<typeof RefusedEvent>;

const FILTER = {
  ...PUT_ASIDE_FILTER,
  reason: Type.Optional(RefusalReason),
  'ref-id': Type.Optional(OptionalIdentifier('Only events of this schedule.')),
};

const RefusedEventReplay = Type.Object(
  { ...FILTER, ...REPLAY_OPTIONS },
  { additionalProperties: false, title: 'RefusedEventReplay' },
);
export type RefusedEventReplay = Type.Static<typeof RefusedEventReplay>;

const ReplayedEvent = Type.Object(
  {
    outcome: Type.Enum(['stored', 'duplicate', 'refused'], {
      description: 'refused: its cause still stands; the event is kept.',
    }),
    reason: Nullable(RefusalReason),
  },
  { title: 'ReplayedEvent' },
);
const ReplayedEvents = Type.Object(
  { stored: Type.Integer(), ...REPLAY_TALLY },
  { title: 'ReplayedEvents' },
);
export type ReplayedEvents = Type.Static<typeof ReplayedEvents>;

export const refusedEventApi = routesOf('Refused events', {
  listRefusedEvents: {
    method: 'GET',
    path: '/v1.0/refused-events',
    permission: 'read',
    summary: 'List the refused events, newest first',
    query: Type.Object({ ...PageQuery.properties, ...FILTER, ...REPLAYED_FILTER }),
    answer: json(pageOf(RefusedEvent), 'A page of refused events.'),
  },
  replayRefusedEvents: {
    method: 'POST',
    path: '/v1.0/refused-events/replay',
    permission: 'plan',
    summary: 'Replay the refused events that match, once their cause is fixed',
    description:
      'Oldest first, only those not replayed yet. If `more` is true, call it again for the rest.',
    body: jsonBody(RefusedEventReplay, 'Which events to replay.'),
    answer: json(ReplayedEvents, 'The outcome.'),
    repeatable: true,
  },
  replayRefusedEvent: {
    method: 'POST',
    path: '/v1.0/refused-events/{id}/replay',
    permission: 'plan',
    summary: 'Replay one refused event, as if it had just been called back',
    params: PutAsideParams,
    answer: json(ReplayedEvent, 'The outcome.'),
    errors: ['REFUSED_EVENT_NOT_FOUND'],
    repeatable: true,
  },
});
