/** The course of a guard's test over time, drawn between its two bounds. */
import { type Figures } from '../../contract/carota-api/index.js';
import { numberArray, type Queryable } from '../../service/database/index.js';

export interface PathPoint {
  readonly at: Date;
  /** The test starts at this wave. */
  readonly from_wave: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly evidence: number;
}

type Note = Figures & { readonly fromWave: number };

/** The points that one call-back adds. */
export class PathNotes {
  readonly #points: Note[] = [];

  /** Keeps each failure and the last point: between these the line is straight. */
  note(fromWave: number, figures: Figures): void {
    const last = this.#points.at(-1);
    const isStraight = last?.fromWave === fromWave && last.failed === figures.failed;
    if (isStraight) this.#points.pop();
    this.#points.push({ ...figures, fromWave });
  }

  /** @param now ms */
  async save(tx: Queryable, scheduleId: number, now: number): Promise<void> {
    if (this.#points.length === 0) return;
    const each = (value: (point: Note) => number) => numberArray(this.#points.map(value));
    await tx.query(
      `insert into guard_path (schedule_id, at, from_wave, succeeded, failed, evidence)
       select $1, $2, * from unnest($3::int[], $4::int[], $5::int[], $6::float8[])`,
      [
        scheduleId,
        new Date(now),
        each(({ fromWave }) => fromWave),
        each(({ succeeded }) => succeeded),
        each(({ failed }) => failed),
        each(({ evidence }) => evidence),
      ],
    );
  }
}

/** More points than any decided test has. */
const MAX_POINTS = 5_000;

export const readPath = (database: Queryable, scheduleId: number): Promise<PathPoint[]> =>
  database.query<PathPoint>(
    `select at, from_wave, succeeded, failed, evidence from guard_path
     where schedule_id = $1 order by id limit ${MAX_POINTS}`,
    [scheduleId],
  );
