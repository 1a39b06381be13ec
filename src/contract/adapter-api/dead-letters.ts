/** `/v1.0/dead-letters`: messages that could not be applied, and another try for them (contract section 5.6). */
import Type from '../typebox.js';
import { DEAD_LETTER_MEANINGS, DEAD_LETTER_REASONS } from '../dead-letter-reasons.js';
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
import { Text } from '../values/text.js';

/** Statuses of dead letters, after the envelope’s `status` (contract section 2). */
export const DEAD_LETTER_STATUSES = ['INVALID', 'EXPIRED', 'DEVICE_NOT_FOUND'] as const;
const Status = Type.Enum([...DEAD_LETTER_STATUSES], {
  title: 'DeadLetterStatus',
  description: 'Corresponds to the envelope’s `status` (contract section 2).',
});

/** A code of the table of reasons. */
export const DeadLetterReason = Type.Enum(DEAD_LETTER_REASONS, {
  title: 'DeadLetterReason',
  description: Object.entries(DEAD_LETTER_MEANINGS)
    .map(([code, { meaning, remedy }]) => `\`${code}\`: ${meaning} ${remedy}`)
    .join('\n\n'),
});

/** Adapters of several releases can store dead letters in one database. */
const StoredReason = Type.Union([
  DeadLetterReason,
  Type.String({ description: 'Code of another release of the adapter.' }),
]);

/** A message that could not be applied, with its bytes and the reason. */
export const DeadLetter = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    'received-at': Time,
    topic: Type.String(),
    system_id: Nullable(Type.String()),
    vin: Nullable(Type.String()),
    message_id: Nullable(Type.String()),
    status: Status,
    reason: StoredReason,
    path: Type.String({ description: 'JSON Pointer to the fault in the message.' }),
    detail: Type.String(),
    payload: Type.String({ description: 'Base64 of the received bytes.' }),
    payloadBytes: Type.Integer({
      description: 'Size before a payload over the limit was truncated.',
    }),
    replayedAt: Nullable(Time),
  },
  { title: 'DeadLetter' },
);
/** A value that fits the schema {@link DeadLetter}. */
export type DeadLetter = Type.Static<typeof DeadLetter>;

/** Which dead letters are listed or replayed. */
export const DeadLetterFilter = Type.Object(
  {
    ...SET_ASIDE_FILTER,
    reason: Type.Optional(DeadLetterReason),
    status: Type.Optional(Status),
    system_id: Type.Optional(Text(256, 'Only dead letters of this vehicle.')),
  },
  { title: 'DeadLetterFilter', additionalProperties: false },
);
/** A value that fits the schema {@link DeadLetterFilter}. */
export type DeadLetterFilter = Type.Static<typeof DeadLetterFilter>;

const DeadLettersQuery = Type.Object({
  ...PageQuery.properties,
  ...DeadLetterFilter.properties,
  ...REPLAYED_FILTER,
});

/** Outcome of the replay of one dead letter. */
export const ReplayResult = replayResultOf('applied', DeadLetterReason);
/** A value that fits the schema {@link ReplayResult}. */
export type ReplayResult = Type.Static<typeof ReplayResult>;

/** Outcomes of the replay of several dead letters, counted. */
export const ReplayTally = Type.Object(
  {
    applied: Type.Integer(),
    ...REPLAY_TALLY,
  },
  { title: 'ReplayTally' },
);
/** A value that fits the schema {@link ReplayTally}. */
export type ReplayTally = Type.Static<typeof ReplayTally>;

/** Routes that list and replay dead letters. */
export const deadLetterApi = routesOf('Dead letters', {
  listDeadLetters: {
    method: 'GET',
    path: '/v1.0/dead-letters',
    permission: 'read',
    scope: 'unscoped-only',
    summary: 'List dead letters, newest first',
    query: DeadLettersQuery,
    answer: json(pageOf(DeadLetter), 'A page of dead letters.'),
  },
  replayDeadLetter: {
    method: 'POST',
    path: '/v1.0/dead-letters/{id}/replay',
    permission: 'control',
    scope: 'unscoped-only',
    audit: 'replay-dead-letters',
    summary: 'Process a dead letter again, as if it had just arrived',
    params: SetAsideParams,
    body: optionalJsonBody(WithReason, 'Why.'),
    answer: json(ReplayResult, 'The outcome.'),
    errors: ['DEAD_LETTER_NOT_FOUND'],
    repeatable: true,
  },
  replayDeadLetters: {
    method: 'POST',
    path: '/v1.0/dead-letters/replay',
    permission: 'control',
    scope: 'unscoped-only',
    audit: 'replay-dead-letters',
    summary: 'Process all matching dead letters again once the cause is fixed',
    description: 'Replays those not replayed yet. Another call continues with the rest.',
    body: jsonBody(replayRequestOf(DeadLetterFilter), 'Selection, maximum number, and reason.'),
    answer: json(ReplayTally, 'The outcomes, counted.'),
  },
});
