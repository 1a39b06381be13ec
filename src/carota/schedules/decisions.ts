/** What was decided on a schedule, when, by whom or by which figures. */
import { type Queryable } from '../../service/database/index.js';

export interface Decision {
  readonly wave?: number | undefined;
  readonly decision: string;
  readonly reason: string;
  /** `guard`, `scheduler`, or the name of a token. */
  readonly actor: string;
  readonly figures?: object | undefined;
}

/** @param now ms */
export async function noteDecision(
  tx: Queryable,
  scheduleId: number,
  { wave, decision, reason, actor, figures = {} }: Decision,
  now: number,
): Promise<void> {
  await tx.query(
    `insert into decisions (schedule_id, wave, at, decision, reason, actor, figures)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [scheduleId, wave ?? null, new Date(now), decision, reason, actor, JSON.stringify(figures)],
  );
  if (decision === 'stop' || decision === 'hold') {
    await tx.query('update schedules set reason = $2 where id = $1', [scheduleId, reason]);
  }
}
