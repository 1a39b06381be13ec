/**
 * What dead letters (OTA Adapter) and refused events (CarOTA Server) have in common: both are messages that were put aside
 * with a reason (contract section 2), are chosen by the same fields, and can be processed once more.
 */
import Type from 'typebox';
import { Reason } from '../http/index.js';
import { Timestamp } from '../values/timestamp.js';
import { Vin } from '../values/vin.js';

/** Fields of every filter, also of one that chooses what to replay. */
export const PUT_ASIDE_FILTER = {
  vin: Type.Optional(Vin),
  from: Type.Optional(Timestamp('Only those put aside then or later.')),
  to: Type.Optional(Timestamp('Only those put aside before.')),
};

/** Field of a list's filter. */
export const REPLAYED_FILTER = {
  replayed: Type.Optional(
    Type.Boolean({ description: 'true: only those replayed already; false: only the others.' }),
  ),
};

export const PutAsideParams = Type.Object({ id: Type.String({ format: 'uuid' }) });

const MAX_REPLAY = 10_000;
export const DEFAULT_REPLAY = 1_000;

/** Fields of a request to replay all that match, besides the filter. */
export const REPLAY_OPTIONS = {
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MAX_REPLAY,
      default: DEFAULT_REPLAY,
      description: 'Maximum number to process.',
    }),
  ),
  why: Type.Optional(Reason),
};

/** Fields of the answer to such a request, besides those that were taken. */
export const REPLAY_TALLY = {
  duplicate: Type.Integer({ description: 'Known already.' }),
  refused: Type.Integer({ description: 'Refused again: their cause still stands; they are kept.' }),
  more: Type.Boolean({ description: 'Whether more match than the limit allowed.' }),
};
