/** Stores a batch of messages with the ingest statement, and returns the outcome. */
import { numberArray, only, type Queryable, textArray } from '../../service/database/index.js';
import { type Applicable, type BatchRow, type Refused } from './batch-row.js';
import { type DeadLetterLimits, DEFAULT_DEAD_LETTER_LIMITS } from './dead-letter-limits.js';
import { INGEST } from './ingest-statement.js';
import { deadLetterOf, type Placeless, refusePlaceless } from './refuse.js';

/** Outcome of a batch: received = applied + duplicates + deadLetters. */
export interface BatchOutcome {
  readonly received: number;
  readonly applied: number;
  readonly duplicates: number;
  /** Those of which only the number is kept among them. */
  readonly deadLetters: number;
  /** Dead letters beyond a limit, of which only the number is kept. */
  readonly overflow: number;
  /** Number of rejected messages by reason, including repeated ones. */
  readonly reasons: Readonly<Record<string, number>>;
}

/**
 * @param shard counter shard of this writer
 * @param rows received messages in any order, including repeated and rejected ones
 * @throws DatabaseError; the batch can then be stored again
 */
export async function ingestBatch(
  database: Queryable,
  shard: number,
  rows: readonly BatchRow[],
  limits = DEFAULT_DEAD_LETTER_LIMITS,
): Promise<BatchOutcome> {
  const outcome = await ingest(database, shard, rows, limits);
  if (outcome.nowhere.length === 0) return outcome;
  const second = await ingest(database, shard, outcome.nowhere, limits);
  return {
    received: outcome.received + second.received,
    applied: outcome.applied,
    duplicates: outcome.duplicates + second.duplicates,
    deadLetters: outcome.deadLetters + second.deadLetters,
    overflow: outcome.overflow + second.overflow,
    reasons: { ...outcome.reasons, ...second.reasons },
  };
}

async function ingest(
  database: Queryable,
  shard: number,
  rows: readonly BatchRow[],
  limits: DeadLetterLimits,
): Promise<BatchOutcome & { nowhere: Refused[] }> {
  const distinct = firstOfEach(rows);
  const applicable = distinct.filter((row): row is Applicable => row.kind !== 'refused');
  const refused = distinct.filter((row): row is Refused => row.kind === 'refused');
  const texts = (pick: (row: Applicable) => string | null) => textArray(applicable.map(pick));

  const answer = only(
    await database.query<{
      received: number;
      applied: number;
      dead_letters: number;
      overflow: number;
      nowhere: Placeless[] | null;
    }>(
      INGEST,
      [
        shard,
        rows.length,
        textArray(operationsOf(applicable)),
        texts((row) => row.digest),
        texts((row) => row.systemId),
        texts((row) => row.vin),
        numberArray(messagesOfEachVehicle(applicable)),
        texts((row) => row.messageId),
        texts((row) => row.triggerId),
        texts((row) => row.refId),
        numberArray(applicable.map((row) => row.status)),
        numberArray(applicable.map((row) => row.reaches)),
        texts((row) => row.eventKey),
        numberArray(applicable.map((row) => row.eventTime)),
        numberArray(applicable.map((row) => row.received.receivedAt)),
        texts((row) => row.correlationId),
        texts((row) => row.subSystemId),
        texts((row) => row.deviceId),
        texts((row) => row.deviceType),
        texts((row) => row.meta),
        texts((row) => row.envelope),
        JSON.stringify(refused.map(deadLetterOf)),
        limits.perVehicle,
        limits.bytes,
      ],
      'ingest',
    ),
  );
  const { received, applied, dead_letters: deadLetters, overflow } = answer;
  return {
    received,
    applied,
    deadLetters,
    overflow,
    duplicates: received - applied - deadLetters,
    reasons: countReasons(refused),
    nowhere: (answer.nowhere ?? []).flatMap((placeless) => refusePlaceless(applicable, placeless)),
  };
}

/** Removes repetitions within the batch: the first arrival counts. */
function firstOfEach(rows: readonly BatchRow[]): BatchRow[] {
  const seen = new Set<string>();
  return rows.filter(({ digest, vin }) => {
    // With a wrong VIN the message is rejected, which must not suppress the one with the right VIN.
    const identity = digest + (vin ?? '');
    return seen.size < seen.add(identity).size;
  });
}

/** The distinct `ref-id`s of all operations named. */
const operationsOf = (rows: readonly Applicable[]): string[] => [
  ...new Set(rows.flatMap(({ refId }) => refId ?? [])),
];

/** For each message, the number of messages of its vehicle in the batch. */
function messagesOfEachVehicle(rows: readonly Applicable[]): number[] {
  const counts = new Map<string, number>();
  for (const { vin } of rows) counts.set(vin, (counts.get(vin) ?? 0) + 1);
  return rows.map(({ vin }) => counts.get(vin) ?? 0);
}

function countReasons(refused: readonly Refused[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { refusal } of refused) counts[refusal.reason] = (counts[refusal.reason] ?? 0) + 1;
  return counts;
}
