/** What a planner may do to a schedule; each action says in numbers what will happen. */
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

/** Vehicles of waves that have not started, and vehicles under way. */
function ahead({ states, waves, status }: ScheduleDetails) {
  const all = Object.values(states).reduce((sum, n) => sum + n, 0);
  const begun = waves.filter(({ state }) => state !== 'waiting');
  const inBegun = begun.reduce((sum, wave) => sum + wave.vehicles - wave.rejected, 0);
  const isFresh = status === 'proposed' || status === 'planned';
  return {
    all,
    left: isFresh
      ? all
      : waves.filter(({ state }) => state === 'waiting').reduce((sum, w) => sum + w.vehicles, 0),
    waves: waves.length - begun.length,
    underWay: Math.max(0, inBegun - finished(states)),
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
      const { start, waves = [], filter } = schedule.plan;
      return [
        filter
          ? 'The vehicles of its filter, as they are when it starts, are triggered.'
          : `${vehicles(all)} will be triggered, in ${plural(waves.length === 0 ? 1 : waves.length + 1, 'wave')} at most.`,
        start === undefined || Date.parse(start) <= Date.now()
          ? 'It starts at once, or when its window opens.'
          : 'It starts at its start time.',
        'What is approved stays as it is: no vehicle can be added.',
      ];
    },
  },
  {
    action: 'pause',
    label: 'Pause',
    from: ['running', 'held'],
    says: (schedule) => {
      const { left, waves, underWay } = ahead(schedule);
      return [
        `${plural(waves, 'wave')} with ${vehicles(left)} will not start until you resume.`,
        `${vehicles(underWay)} under way go on; triggers that were not sent wait.`,
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
      return [`${plural(waves, 'wave')} with ${vehicles(left)} follow as planned.`];
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
        `The guard holds it: ${schedule.reason}.`,
        next
          ? `The next wave, ${vehicles(next.vehicles)} starts although the guard has not decided.`
          : 'No wave is left.',
        `${plural(waves, 'wave')} with ${vehicles(left)} are left in all.`,
      ];
    },
  },
  {
    action: 'stop',
    label: 'Stop schedule',
    from: ['proposed', 'planned', 'running', 'paused', 'held'],
    look: 'danger',
    says: (schedule) => {
      const { left, underWay, finished } = ahead(schedule);
      return [
        `${vehicles(left)} will not be triggered.`,
        `${vehicles(underWay)} under way may still update; what was not sent is cancelled.`,
        `${vehicles(finished)} that have finished stay as they are.`,
        'It cannot be undone.',
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
    await client.call(scheduleApi[`${action}Schedule`], request);
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
          <li>Whoever planned it cannot approve it: it takes a second person.</li>
        )}
      </ul>
    </Confirm>
  ));
}
