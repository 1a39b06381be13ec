/** Describes, in words for people, the result that an exposed vehicle will get when its deadline passes. Pure. */
import { GUARD_DEFAULTS } from '../../contract/carota-api/index.js';
import { FAILED } from '../../contract/index.js';
import { type Deadlines } from './exposure.js';

export interface Due {
  readonly becomes: 'silent' | 'succeeded' | 'failed';
  /** The setting of the plan from which the time follows. */
  readonly because: string;
  /** What prevents it. */
  readonly unless: string;
}

/**
 * @param state the vehicle's latest reported state
 * @param at time of exposure, ms
 * @param decidesAt ms
 */
export function dueOf(
  {
    state,
    at,
    decidesAt,
  }: { readonly state: string; readonly at: number; readonly decidesAt: number },
  { deadline = GUARD_DEFAULTS.deadline, afterReboot, soak }: Deadlines,
): Due {
  if (state === 'success') {
    const because = `${soak ?? GUARD_DEFAULTS.soak} s after its success reached the adapter`;
    return { becomes: 'succeeded', because, unless: 'it reports a failure first' };
  }
  const latest = at + deadline * 1000;
  const ofDeadline =
    decidesAt > latest
      ? 'postponed because the server was restarted'
      : `${deadline} s after its exposure`;
  if (FAILED.has(state)) {
    return { becomes: 'failed', because: ofDeadline, unless: 'a new attempt succeeds first' };
  }
  const ofReboot = `${afterReboot ?? GUARD_DEFAULTS.afterReboot} s after its reboot`;
  const because = decidesAt < latest ? ofReboot : ofDeadline;
  return {
    becomes: 'silent',
    because,
    unless: 'it reports success, a failure or a withdrawal first',
  };
}
