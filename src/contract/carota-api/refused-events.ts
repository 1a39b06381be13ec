/** `/v1.0/refused-events`: events that were called back and could not be taken, and another try for them. */
import Type from '../typebox.js';
import {
  SET_ASIDE_FILTER,
  SetAsideParams,
  REPLAY_TALLY,
  REPLAYED_FILTER,
  replayRequestOf,
  replayResultOf,
} from '../common-api/set-aside.js';
import {
  json,
  jsonBody,
  Nullable,
  optionalJsonBody,
  pageOf,
  PageQuery,
  routesOf,
  Time,
  WithReason,
} from '../http/index.js';
import { OptionalIdentifier } from '../values/text.js';

/** Reasons why an event was refused. */
export const REFUSAL_REASONS = ['INVALID_EVENT', 'REFUSED_BY_DATABASE', 'NOT_APPLIED'] as const;
/** One of {@link REFUSAL_REASONS}. */
export const RefusalReason = Type.Enum([...REFUSAL_REASONS], {
  title: 'RefusalReason',
  description:
    'INVALID_EVENT: not an event of the contract; REFUSED_BY_DATABASE: the database rejects its values; NOT_APPLIED: applying it to its schedule failed.',
});
/** A value that fits the schema {@link RefusalReason}. */
export type RefusalReason = Type.Static<typeof RefusalReason>;

/** An event that could not be stored, with the reason. */
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
    event: Type.String({ description: 'JSON text as received.' }),
    replayedAt: Nullable(Time),
  },
  { title: 'RefusedEvent' },
);
/** A value that fits the schema {@link RefusedEvent}. */
export type RefusedEvent = Type.Static<typeof RefusedEvent>;

/** Which refused events are listed or replayed. */
export const RefusedEventFilter = Type.Object(
  {
    ...SET_ASIDE_FILTER,
    reason: Type.Optional(RefusalReason),
    'ref-id': Type.Optional(OptionalIdentifier('Only events of this schedule.')),
  },
  { title: 'RefusedEventFilter', additionalProperties: false },
);
/** A value that fits the schema {@link RefusedEventFilter}. */
export type RefusedEventFilter = Type.Static<typeof RefusedEventFilter>;

/** Outcome of the replay of one refused event. */
export const ReplayResult = replayResultOf('stored', RefusalReason);
/** A value that fits the schema {@link ReplayResult}. */
export type ReplayResult = Type.Static<typeof ReplayResult>;

/** Outcomes of the replay of several refused events, counted. */
export const ReplayTally = Type.Object(
  { stored: Type.Integer(), ...REPLAY_TALLY },
  { title: 'ReplayTally' },
);
/** A value that fits the schema {@link ReplayTally}. */
export type ReplayTally = Type.Static<typeof ReplayTally>;

/** Routes that list and replay refused events. */
export const refusedEventApi = routesOf('Refused events', {
  listRefusedEvents: {
    method: 'GET',
    path: '/v1.0/refused-events',
    permission: 'read',
    scope: 'unscoped-only',
    summary: 'List the refused events, newest first',
    query: Type.Object({
      ...PageQuery.properties,
      ...RefusedEventFilter.properties,
      ...REPLAYED_FILTER,
    }),
    answer: json(pageOf(RefusedEvent), 'A page of refused events.'),
  },
  replayRefusedEvents: {
    method: 'POST',
    path: '/v1.0/refused-events/replay',
    permission: 'plan',
    scope: 'unscoped-only',
    audit: 'replay-refused-events',
    summary: 'Replay the refused events that match, once their cause is fixed',
    description:
      'Oldest first, only those not replayed yet. If `more` is true, call it again for the rest.',
    body: jsonBody(replayRequestOf(RefusedEventFilter), 'Selection, maximum number, and reason.'),
    answer: json(ReplayTally, 'The outcomes, counted.'),
    repeatable: true,
  },
  replayRefusedEvent: {
    method: 'POST',
    path: '/v1.0/refused-events/{id}/replay',
    permission: 'plan',
    scope: 'unscoped-only',
    audit: 'replay-refused-events',
    summary: 'Replay one refused event, as if it had just been called back',
    params: SetAsideParams,
    body: optionalJsonBody(WithReason, 'Why.'),
    answer: json(ReplayResult, 'The outcome.'),
    errors: ['REFUSED_EVENT_NOT_FOUND'],
    repeatable: true,
  },
});
