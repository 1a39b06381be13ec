import { GUARD_DEFAULTS } from '../../contract/carota-api/guard-defaults.js';
import {
  type RetryRule,
  type SchedulePlan,
  type WavePlan,
} from '../../contract/carota-api/index.js';
import { count, duration, vehicles } from '../format/numbers.js';
import { Card } from '../ui/page.js';
import { Time } from '../ui/time.js';

/** A schedule's plan in words. */
export function PlanCard({ plan }: { plan: SchedulePlan }) {
  const {
    filter,
    start,
    stop,
    windows = [],
    waves = [],
    guard,
    retry = [],
    pause,
    dispatch,
  } = plan;
  return (
    <Card title="Plan">
      <dl className="facts">
        <dt>Vehicles</dt>
        <dd>{filter ? filterText(filter) : 'named one by one'}</dd>
        <dt>Start</dt>
        <dd>{start === undefined ? 'at once' : <Time at={start} />}</dd>
        {stop !== undefined && (
          <>
            <dt>Latest wave start</dt>
            <dd>
              <Time at={stop} />
            </dd>
          </>
        )}
        <dt>Windows</dt>
        <dd>
          {windows.length === 0
            ? 'at any time'
            : `${windows.map(({ from, to }) => `${from} to ${to}`).join(', ')} (${plan.timeZone ?? 'UTC'})`}
        </dd>
        <dt>Waves</dt>
        <dd>
          {waves.length === 0
            ? 'all at once'
            : `${waves.map(waveText).join(', then ')}, then the rest`}
        </dd>
        {pause !== undefined && pause > 0 && (
          <>
            <dt>Between waves</dt>
            <dd>{duration(pause)}</dd>
          </>
        )}
        <dt>Guard</dt>
        <dd>{guardText(guard)}</dd>
        {retry.length > 0 && (
          <>
            <dt>Retries</dt>
            <dd>{retry.map(retryText).join('; ')}</dd>
          </>
        )}
        {dispatch && (
          <>
            <dt>Sending</dt>
            <dd>
              <code className="wrap">{JSON.stringify(dispatch)}</code>
            </dd>
          </>
        )}
      </dl>
    </Card>
  );
}

const retryText = ({ state, reason, after, times }: RetryRule) =>
  `${state}${reason === undefined ? '' : ` (${reason})`} after ${duration(after)}, at most ${count(times)} times`;

const filterText = ({ tags = [], ecu, versions = [] }: NonNullable<SchedulePlan['filter']>) =>
  [
    'all of the model',
    ...(tags.length > 0 ? [`with the tags ${tags.join(', ')}`] : []),
    ...(ecu === undefined
      ? []
      : [`${ecu} runs ${versions.length > 0 ? versions.join(' or ') : 'anything'}`]),
  ].join(', ');

const waveText = ({ vehicles: n, percent, vins }: WavePlan): string => {
  if (vins) return `${count(vins.length)} named`;
  return percent === undefined ? vehicles(n ?? 0) : `${percent} %`;
};

export function guardText(guard: SchedulePlan['guard']): string {
  if (!guard) return 'none: nothing stops it automatically';
  const share = (value: number) => `${Math.round(value * 10_000) / 100} %`;
  const { test, maxFailures, maxEarlyFailures, maxRollbackFailures, undecided, patience } = guard;
  const { exposureCap, deadline, afterReboot, soak } = { ...GUARD_DEFAULTS, ...guard };
  return [
    ...(test
      ? [
          `stops at a failure rate of ${share(test.intolerable)}, not at ${share(test.tolerated)} (${share(test.falseStop)} false stops, ${share(test.missedStop)} missed stops)`,
        ]
      : []),
    ...(maxFailures === undefined ? [] : [`at most ${count(maxFailures)} failures`]),
    ...(maxEarlyFailures === undefined
      ? []
      : [`at most ${count(maxEarlyFailures)} failures before the download`]),
    ...(maxRollbackFailures === undefined
      ? []
      : [`at most ${count(maxRollbackFailures)} failed rollbacks`]),
    ...(undecided === undefined ? [] : [`where undecided: ${undecided}`]),
    ...(patience === undefined ? [] : [`waits ${duration(patience)} for a wave`]),
    `${count(exposureCap)} vehicles at first without a result`,
    `silent after ${duration(deadline)}, or ${duration(afterReboot)} after reboot`,
    `soak ${duration(soak)}`,
  ].join('; ');
}
