/** From which status a schedule comes to which: the one table for people, guard and scheduler. Pure. */
import { type ScheduleAction, type ScheduleStatus } from '../../contract/carota-api/index.js';

/** What changes a schedule's status: a person's action, or one of the guard and the scheduler. */
export type Transition = ScheduleAction | 'start' | 'hold' | 'complete';

type Targets = Partial<Readonly<Record<ScheduleStatus, ScheduleStatus>>>;

/** A status that stays as it is: the action was done already, and may be repeated. */
const TABLE: Readonly<Record<Transition, Targets>> = {
  approve: { proposed: 'planned' },
  start: { planned: 'running' },
  pause: { running: 'paused', held: 'paused', paused: 'paused' },
  resume: { paused: 'running' },
  hold: { running: 'held' },
  continue: { held: 'running' },
  stop: {
    proposed: 'stopped',
    planned: 'stopped',
    running: 'stopped',
    paused: 'stopped',
    held: 'stopped',
    stopped: 'stopped',
  },
  complete: { running: 'completed' },
};

/** @returns undefined where the status does not allow it */
export const statusAfter = (
  status: ScheduleStatus,
  transition: Transition,
): ScheduleStatus | undefined => TABLE[transition][status];

/** From here no transition leads anywhere else. */
export const isEnded = (status: ScheduleStatus): boolean =>
  status === 'stopped' || status === 'completed';
