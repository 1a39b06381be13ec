/** Transitions between the statuses of a schedule: one table for people, guard and scheduler. Pure. */
import { type ScheduleAction, type ScheduleStatus } from '../../contract/carota-api/index.js';

/** A change of a schedule's status by a person, the guard or the scheduler. */
export type Transition = ScheduleAction | 'start' | 'hold' | 'complete';

type Targets = Partial<Readonly<Record<ScheduleStatus, ScheduleStatus>>>;

/** A transition to the same status means that repeating the action is allowed and changes nothing. */
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

/** @returns undefined if the status does not allow the transition */
export const statusAfter = (
  status: ScheduleStatus,
  transition: Transition,
): ScheduleStatus | undefined => TABLE[transition][status];

/** Whether the status is final. */
export const isEnded = (status: ScheduleStatus): boolean =>
  status === 'stopped' || status === 'completed';
