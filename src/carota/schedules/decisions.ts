/** Decisions on a schedule: when, and by whom or on which figures. */
import { type DecisionName, type Figures } from '../../contract/carota-api/index.js';
import { type Queryable } from '../../service/database/index.js';

export interface NewDecision {
  readonly wave?: number | undefined;
  readonly decision: DecisionName;
  readonly reason: string;
  /** `guard`, `scheduler`, or the name of a token. */
  readonly actor: string;
  readonly figures?: Figures | undefined;
}

/** @param now ms */
export async function noteDecision(
  tx: Queryable,
  scheduleId: number,
  { wave, decision, reason, actor, figures }: NewDecision,
  now: number,
): Promise<void> {
  await tx.query(
    `insert into decisions (schedule_id, wave, at, decision, reason, actor, figures)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      scheduleId,
      wave ?? null,
      new Date(now),
      decision,
      reason,
      actor,
      figures ? JSON.stringify(figures) : null,
    ],
  );
}

export interface DecisionRow {
  readonly wave: number | null;
  readonly at: Date;
  readonly decision: DecisionName;
  readonly reason: string;
  readonly actor: string;
  readonly figures: Figures | null;
}

/** Oldest first. */
export const readDecisions = (database: Queryable, id: number): Promise<DecisionRow[]> =>
  database.query<DecisionRow>(
    'select wave, at, decision, reason, actor, figures from decisions where schedule_id = $1 order by id',
    [id],
  );
