/** Decisions on a schedule: their time, their actor, and the figures on which they are based. */
import { type DecisionName, type Figures } from '../../contract/carota-api/index.js';
import { only, type Queryable } from '../../service/database/index.js';
import { notify } from '../notifications/index.js';

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
  const { id, ref_id: refId } = only(
    await tx.query<{ id: number; ref_id: string }>(
      `insert into decisions (schedule_id, wave, at, decision, reason, actor, figures)
     values ($1, $2, $3, $4, $5, $6, $7)
     returning id, (select ref_id from schedules where schedules.id = schedule_id)`,
      [
        scheduleId,
        wave ?? null,
        new Date(now),
        decision,
        reason,
        actor,
        figures ? JSON.stringify(figures) : null,
      ],
    ),
  );
  if (decision !== 'stop' && decision !== 'hold') return;
  const what = decision === 'stop' ? 'stopped' : 'held';
  const why = reason === '' ? '' : `: ${reason}`;
  const summary = `Schedule ${refId} was ${what} by ${actor}${why}`;
  await notify(tx, { event: decision, key: `${decision} ${id}`, refId, summary }, now);
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
