/**
 * Common parts of dead letters (OTA Adapter) and refused events (CarOTA Server): both are messages that were set aside with
 * a reason (contract section 2), can be selected by the same fields, and can be replayed.
 */
import Type from '../typebox.js';
import { Reason } from '../http/index.js';
import { Timestamp } from '../values/timestamp.js';
import { Vin } from '../values/vin.js';

/** Fields of every filter. */
export const SET_ASIDE_FILTER = {
  vin: Type.Optional(Vin),
  from: Type.Optional(Timestamp('Only those set aside at or after this time.')),
  to: Type.Optional(Timestamp('Only those set aside before this time.')),
};

/** Field of the query of a list, besides the filter. */
export const REPLAYED_FILTER = {
  replayed: Type.Optional(
    Type.Boolean({ description: 'true: only those replayed; false: only the others.' }),
  ),
};

/** Parameters of the path of one message that was set aside. */
export const SetAsideParams = Type.Object({
  id: Type.String({ format: 'uuid', description: 'Id from the list.' }),
});

/** Most messages that one request replays. */
export const MAX_REPLAY = 10_000;
/** Default for the maximum number of messages that a request replays. */
export const DEFAULT_REPLAY = 1_000;

/** A request to replay all that match. The filter is required, so that not everything is replayed by mistake. */
export const replayRequestOf = <Filter extends Type.TSchema>(filter: Filter) =>
  Type.Object(
    {
      filter,
      limit: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: MAX_REPLAY,
          default: DEFAULT_REPLAY,
          description: 'Maximum number to replay.',
        }),
      ),
      reason: Type.Optional(Reason),
    },
    {
      title: 'ReplayRequest',
      additionalProperties: false,
      description: 'An empty filter selects all.',
    },
  );

/**
 * Outcome of a replay.
 *
 * @inline
 */
type Outcome<Taken extends string> = Taken | 'duplicate' | 'refused';

/**
 * Answer to a request to replay one message.
 *
 * @param taken what becomes of one that is taken now
 * @param reason schema of why one is refused again
 */
export const replayResultOf = <const Taken extends string, Why extends Type.TSchema>(
  taken: Taken,
  reason: Why,
) =>
  Type.Object(
    {
      outcome: Type.Unsafe<Outcome<Taken>>(
        Type.Enum([taken, 'duplicate', 'refused'], {
          description: 'refused: the cause persists, and it is kept.',
        }),
      ),
      reason: Type.Union([reason, Type.Null()], { description: 'Reason of the new refusal.' }),
    },
    { title: 'ReplayResult' },
  );

/** Fields of the answer to a request to replay all that match, besides those that were taken. */
export const REPLAY_TALLY = {
  duplicates: Type.Integer({ description: 'Number processed before; they change nothing.' }),
  refused: Type.Integer({
    description: 'Number refused again and kept, because the cause persists.',
  }),
  more: Type.Boolean({ description: 'Whether more match than the limit.' }),
};
