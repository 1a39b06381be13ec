/** A planner's actions on a schedule; each shows in numbers what will happen. */
import { type ReactNode } from 'react';
import {
  type ScheduleAction,
  scheduleApi,
  type ScheduleDetails,
  type ScheduleStatus,
} from '../../contract/carota-api/index.js';
import { client } from '../api/client.js';
import { useRefetch } from '../api/use-query.js';
import { useMay, useSession } from '../app/session.js';
import { plural, vehicles } from '../format/numbers.js';
import { finished } from '../states/groups.js';
import { Confirm, withReason } from '../ui/confirm.js';

interface Offer {
  readonly action: ScheduleAction;
  readonly label: string;
  readonly from: readonly ScheduleStatus[];
  readonly look?: 'primary' | 'danger';
  readonly says: (schedule: ScheduleDetails) => readonly ReactNode[];
}

/** Vehicles of waves that have not started, and vehicles in progress. */
function ahead({ states, waves, status }: ScheduleDetails) {
  const all = Object.values(states).reduce((sum, n) => sum + n, 0);
  const started = waves.filter(({ state }) => state !== 'waiting');
  const triggered = started.reduce((sum, wave) => sum + wave.vehicles - wave.rejected, 0);
  const isFresh = status === 'proposed' || status === 'planned';
  return {
    all,
    left: isFresh
      ? all
      : waves.filter(({ state }) => state === 'waiting').reduce((sum, w) => sum + w.vehicles, 0),
    waves: waves.length - started.length,
    inProgress: Math.max(0, triggered - finished(states)),
    finished: finished(states),
  };
}

const OFFERS: readonly Offer[] = [
  {
    action: 'approve',
    label: 'Approve',
    from: ['proposed'],
    look: 'primary',
    says: (schedule) => {
      const { all } = ahead(schedule);
      const { start, waves = [] } = schedule.plan;
      return [
        `${vehicles(all)} will be triggered, in at most ${plural(waves.length === 0 ? 1 : waves.length + 1, 'wave')}.`,
        start === undefined || Date.parse(start) <= Date.now()
          ? 'It starts immediately, or when its window opens.'
          : 'It starts at its start time.',
        'No vehicles can be added after the approval.',
      ];
    },
  },
  {
    action: 'pause',
    label: 'Pause',
    from: ['running', 'held'],
    says: (schedule) => {
      const { left, waves, inProgress } = ahead(schedule);
      return [
        `${plural(waves, 'wave')} with ${vehicles(left)} will not start until you resume.`,
        `${vehicles(inProgress)} in progress will continue; unsent triggers wait.`,
      ];
    },
  },
  {
    action: 'resume',
    label: 'Resume',
    from: ['paused'],
    look: 'primary',
    says: (schedule) => {
      const { left, waves } = ahead(schedule);
      return [`${plural(waves, 'wave')} with ${vehicles(left)} will follow as planned.`];
    },
  },
  {
    action: 'continue',
    label: 'Continue',
    from: ['held'],
    look: 'primary',
    says: (schedule) => {
      const { left, waves } = ahead(schedule);
      const next = schedule.waves.find(({ state }) => state === 'waiting');
      return [
        `Held by the guard: ${schedule.reason}.`,
        next
          ? `The next wave (${vehicles(next.vehicles)}) starts although the guard is undecided.`
          : 'There are no more waves.',
        `Remaining in total: ${plural(waves, 'wave')} with ${vehicles(left)}.`,
      ];
    },
  },
  {
    action: 'stop',
    label: 'Stop schedule',
    from: ['proposed', 'planned', 'running', 'paused', 'held'],
    look: 'danger',
    says: (schedule) => {
      const { left, inProgress, finished } = ahead(schedule);
      return [
        `${vehicles(left)} will not be triggered.`,
        `${vehicles(inProgress)} in progress may still update; unsent triggers are cancelled.`,
        `${vehicles(finished)} already finished will not change.`,
        'This cannot be undone.',
      ];
    },
  },
];

export function ScheduleActions({ schedule }: { schedule: ScheduleDetails }) {
  const refetch = useRefetch();
  const mayPlan = useMay('plan');
  const { approval } = useSession();
  if (!mayPlan) return null;
  const { 'ref-id': refId, status } = schedule;
  const act = (action: ScheduleAction) => async (reason: string) => {
    const request = { params: { 'ref-id': refId }, body: withReason(reason) };
    if (action === 'approve') {
      const body = { ...withReason(reason), digest: schedule.digest ?? '' };
      await client.call(scheduleApi.approveSchedule, { ...request, body });
    } else await client.call(scheduleApi[`${action}Schedule`], request);
    await refetch(`schedule:${refId}`);
  };
  return OFFERS.filter(({ from }) => from.includes(status)).map(({ action, label, look, says }) => (
    <Confirm
      key={action}
      label={label}
      title={`${label}: ${refId}?`}
      isDangerous={look === 'danger'}
      isPrimary={look === 'primary'}
      act={act(action)}
    >
      <ul>
        {says(schedule).map((line, place) => (
          <li key={place}>{line}</li>
        ))}
        {action === 'approve' && approval === 'second-person' && (
          <li>The planner cannot approve it: a second person must.</li>
        )}
      </ul>
    </Confirm>
  ));
}
