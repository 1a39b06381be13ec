/** Answers to imports of CSV or NDJSON, with the errors of rejected lines. */
import Type from '../typebox.js';
import { ErrorCodeName } from '../http/index.js';

/** A line that was not stored, and why. */
export const RejectedLine = Type.Object(
  {
    line: Type.Integer({ description: 'From 1; the header of a CSV is line 1.' }),
    errorCode: ErrorCodeName,
    errorMessage: Type.String(),
  },
  { title: 'RejectedLine' },
);
/** A value that fits the schema {@link RejectedLine}. */
export type RejectedLine = Type.Static<typeof RejectedLine>;

/** Most lines that an answer names. */
export const MAX_REJECTED_LINES = 1_000;

/** Fields of every such answer. */
export const REJECTED_LINES = {
  rejectedCount: Type.Integer(),
  rejected: Type.Array(RejectedLine, { description: 'The first 1,000.' }),
};
