/** Prepares a batch of messages for the ingest statement, stores it, and returns the outcome. */
import { type DeadLetterReason } from '../../contract/index.js';
import {
  type Allocate,
  allocateEach,
  only,
  type Parameter,
  type Queryable,
} from '../../service/database/index.js';
import { type Applicable, type BatchRow, type Refused } from './batch-row.js';
import { type DeadLetterLimits, DEFAULT_DEAD_LETTER_LIMITS } from './dead-letter-limits.js';
import { parametersOf } from './ingest-parameters.js';
import { INGEST } from './ingest-statement.js';
import { refuseUnmatched, type Unmatched } from './refuse.js';

/** Number of messages by the reason of their rejection. */
export type ReasonCounts = Readonly<Partial<Record<DeadLetterReason, number>>>;

/** Outcome of a batch: received = applied + duplicates + deadLetters. */
export interface BatchOutcome {
  readonly received: number;
  readonly applied: number;
  readonly duplicates: number;
  /** Those of them beyond a limit, of which only the number is kept. */
  readonly deadLetters: number;
  /** Dead letters beyond a limit, of which only the number is kept. */
  readonly overflow: number;
  /** Number of rejected messages by reason, including repeated ones. */
  readonly reasons: ReasonCounts;
}

/**
 * A batch ready to be stored. It holds the statement's parameters but no rows: at full load, rows waiting for the
 * commit would be most of the garbage collector's work.
 */
export interface PreparedBatch {
  readonly shard: number;
  readonly limits: DeadLetterLimits;
  readonly parameters: Parameter[];
  /** Of each message to be applied, its number among the rows. */
  readonly applicable: readonly number[];
  readonly reasons: ReasonCounts;
}

/**
 * @param shard counter shard of this writer
 * @param rows received messages in any order, including repeated and rejected ones
 * @param allocate where the parameters are written
 */
export function prepareBatch(
  shard: number,
  rows: readonly BatchRow[],
  limits = DEFAULT_DEAD_LETTER_LIMITS,
  allocate: Allocate = allocateEach,
): PreparedBatch {
  const numbers: number[] = [];
  const applicable: Applicable[] = [];
  const refused: Refused[] = [];
  const isRepetition = repetitions();
  for (const [number, row] of rows.entries()) {
    if (isRepetition(row)) continue;
    if (row.kind === 'refused') refused.push(row);
    else {
      applicable.push(row);
      numbers.push(number);
    }
  }
  return {
    shard,
    limits,
    applicable: numbers,
    reasons: countReasons(refused),
    parameters: parametersOf({
      shard,
      received: rows.length,
      applicable,
      refused,
      operations: numbered(applicable),
      limits,
      allocate,
    }),
  };
}

/**
 * @param rowOf recreates the row with this number; needed only for messages without a delivery
 * @throws DatabaseError; the batch can then be stored again
 */
export async function storeBatch(
  database: Queryable,
  batch: PreparedBatch,
  rowOf: (number: number) => BatchRow,
): Promise<BatchOutcome> {
  const { unmatched, ...outcome } = await store(database, batch);
  if (unmatched.length === 0) return outcome;
  const refused = unmatched.flatMap((message) => {
    const number = batch.applicable[message.arrival - 1];
    return number === undefined ? [] : refuseUnmatched(rowOf(number), message);
  });
  const second = await store(database, prepareBatch(batch.shard, refused, batch.limits));
  return {
    received: outcome.received + second.received,
    applied: outcome.applied,
    duplicates: outcome.duplicates + second.duplicates,
    deadLetters: outcome.deadLetters + second.deadLetters,
    overflow: outcome.overflow + second.overflow,
    reasons: { ...outcome.reasons, ...second.reasons },
  };
}

/** Prepares and stores a batch. The parameters are those of {@link prepareBatch}. @throws as {@link storeBatch} */
export function ingestBatch(
  database: Queryable,
  shard: number,
  rows: readonly BatchRow[],
  limits = DEFAULT_DEAD_LETTER_LIMITS,
): Promise<BatchOutcome> {
  const rowOf = (number: number) => only(rows.slice(number, number + 1));
  return storeBatch(database, prepareBatch(shard, rows, limits), rowOf);
}

async function store(
  database: Queryable,
  { parameters, reasons }: PreparedBatch,
): Promise<BatchOutcome & { unmatched: Unmatched[] }> {
  const answer = only(
    await database.query<{
      received: number;
      applied: number;
      dead_letters: number;
      overflow: number;
      unmatched: Unmatched[] | null;
    }>(INGEST, parameters, 'ingest'),
  );
  const { received, applied, dead_letters: deadLetters, overflow, unmatched } = answer;
  return {
    received,
    applied,
    deadLetters,
    overflow,
    duplicates: received - applied - deadLetters,
    reasons,
    unmatched: unmatched ?? [],
  };
}

/**
 * Whether the same message came earlier in the batch: the first arrival counts. With a wrong VIN a message is rejected,
 * which must not suppress the one with the right VIN.
 */
function repetitions(): (row: BatchRow) => boolean {
  const firstVins = new Map<string, string>();
  const others = new Set<string>();
  return ({ digest, vin }) => {
    const own = vin ?? '';
    const first = firstVins.get(digest);
    if (first === undefined) {
      firstVins.set(digest, own);
      return false;
    }
    return first === own || others.size === others.add(digest + own).size;
  };
}

/** The distinct `ref-id`s in the batch, each with its number, from 1. */
function numbered(rows: readonly Applicable[]): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const { refId } of rows) {
    if (refId !== null && !numbers.has(refId)) numbers.set(refId, numbers.size + 1);
  }
  return numbers;
}

function countReasons(refused: readonly Refused[]): ReasonCounts {
  const counts: Partial<Record<DeadLetterReason, number>> = {};
  for (const { refusal } of refused) counts[refusal.reason] = (counts[refusal.reason] ?? 0) + 1;
  return counts;
}
