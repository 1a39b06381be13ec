import { GROUPS, groupOf } from '../states/groups.js';

/** A vehicle's state as the contract names it, with the colour and name of its group. */
export function State({ state, paused = false }: { state: string; paused?: boolean }) {
  const group = groupOf(state);
  const label = GROUPS.find(({ id }) => id === group)?.label ?? '';
  return (
    <span className="state" title={label}>
      <i className={`swatch group-${group}`} aria-hidden="true" />
      {state}
      {paused && <span className="tag">paused</span>}
    </span>
  );
}

const MEANS: Readonly<Record<string, 'good' | 'bad' | 'warn' | 'calm' | 'busy'>> = {
  active: 'busy',
  running: 'busy',
  paused: 'warn',
  held: 'warn',
  proposed: 'warn',
  planned: 'calm',
  waiting: 'calm',
  cancelled: 'calm',
  stopped: 'bad',
  completed: 'good',
  finished: 'good',
  passed: 'good',
};

/** The status of an operation, a schedule or a wave. */
export function Status({ status, title }: { status: string; title?: string }) {
  return (
    <span className={`status status-${MEANS[status] ?? 'calm'}`} title={title}>
      {status}
    </span>
  );
}
