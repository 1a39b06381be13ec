/** Advances a locked schedule as far as possible without calling the adapter. */
import { type DecisionName, type Figures } from '../../contract/carota-api/index.js';
import { type Queryable } from '../../service/database/index.js';
import { type Judgement } from '../guard/index.js';
import { contentOf } from './approval-digest.js';
import { assignWaves } from './assign-waves.js';
import { noteDecision } from './decisions.js';
import { endDeadlines, nextDeadline } from './deadlines.js';
import { nextStep } from './next-step.js';
import { notifySchedule } from './notify-schedule.js';
import { runTests } from './run-tests.js';
import { endRetries } from './end-retries.js';
import { type ScheduleRecord } from './schedule-record.js';
import { readWaves } from './stored-schedule.js';
import { type ApprovalRule } from './schedules.js';
import { isEnded } from './transitions.js';

/**
 * @param now ms
 * @param approval whether the schedule may start without an approval
 * @returns when to check the schedule again, ms; undefined: after an event or a person's action
 */
export async function advance(
  tx: Queryable,
  schedule: ScheduleRecord,
  now: number,
  approval: ApprovalRule = 'none',
): Promise<number | undefined> {
  await endDeadlines(tx, schedule, now);
  await runTests(tx, schedule, now);
  await notifySchedule(tx, schedule, now);
  const due = await takeSteps(tx, schedule, now, approval);
  if (isEnded(schedule.status)) await endRetries(tx, schedule, now);
  // Deadlines count for stopped schedules too.
  const deadline = await nextDeadline(tx, schedule.id);
  return due === undefined || deadline === undefined ? (due ?? deadline) : Math.min(due, deadline);
}

async function takeSteps(
  tx: Queryable,
  schedule: ScheduleRecord,
  now: number,
  approval: ApprovalRule,
): Promise<number | undefined> {
  for (;;) {
    const step = nextStep(schedule.state(now), now);
    switch (step.do) {
      case 'wait':
        return step.until;
      case 'post':
        schedule.beginPosting(step.wave);
        return now;
      case 'start': {
        const fault = await approvalFault(tx, schedule, approval);
        if (fault === undefined) await start(tx, schedule, now);
        else {
          schedule.apply('stop', now, fault);
          await note(tx, schedule, 'stop', 'scheduler', { reason: fault }, now);
        }
        break;
      }
      case 'pass':
        await pass(tx, schedule, step.wave, step.judgement, now);
        break;
      case 'hold':
        schedule.apply('hold', now, step.judgement.reason);
        await note(tx, schedule, 'hold', 'guard', step.judgement, now);
        break;
      case 'stop':
        schedule.apply('stop', now, step.reason);
        await note(tx, schedule, 'stop', step.by, step, now);
        // Due now: the operation may have to be cancelled at the adapter.
        return now;
      case 'complete':
        schedule.apply('complete', now);
        await note(tx, schedule, 'complete', 'scheduler', step, now);
        return undefined;
    }
  }
}

/** Why the schedule must not start: it lacks an approval, or has changed since. */
async function approvalFault(
  tx: Queryable,
  { id, approval: given }: ScheduleRecord,
  rule: ApprovalRule,
): Promise<string | undefined> {
  if (!given) return rule === 'none' ? undefined : 'it was planned without an approval';
  const { digest } = await contentOf(tx, id);
  return digest === given.digest ? undefined : 'it has changed since its approval';
}

async function start(tx: Queryable, schedule: ScheduleRecord, now: number): Promise<void> {
  const vehicles = await assignWaves(tx, schedule);
  schedule.waves = await readWaves(tx, schedule.id);
  schedule.apply('start', now);
  const reason = `${vehicles} vehicles in ${schedule.waves.length} waves`;
  await note(tx, schedule, 'start', 'scheduler', { reason }, now);
}

async function pass(
  tx: Queryable,
  schedule: ScheduleRecord,
  wave: number,
  judgement: Judgement,
  now: number,
): Promise<void> {
  schedule.pass(wave, now);
  await note(tx, schedule, 'go', 'guard', judgement, now);
}

async function note(
  tx: Queryable,
  schedule: ScheduleRecord,
  decision: DecisionName,
  actor: 'guard' | 'scheduler',
  { reason, figures }: { readonly reason: string; readonly figures?: Figures | undefined },
  now: number,
): Promise<void> {
  const wave = schedule.current?.number;
  await noteDecision(tx, schedule.id, { wave, decision, reason, actor, figures }, now);
}
