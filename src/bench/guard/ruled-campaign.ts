/** A campaign under the rules that other systems have: it is stopped by a share of the vehicles that have finished. */
import { type Course, courseOf, type Random, type Update } from './fleet.js';
import { type CampaignEnd } from './outcome.js';
import { TimeLine } from './time-line.js';

export interface ShareRule {
  /** Stopped when this share of the finished vehicles has failed … */
  readonly share: number;
  /** … of at least this many. */
  readonly least: number;
  /**
   * Minutes after the reboot in which a vehicle must finish, or it counts as failed; undefined: silence is not seen. As the
   * timeout of a job execution.
   */
  readonly timeout: number | undefined;
  /** Whether a failure is still seen after success. The executions of a job end with the first. */
  readonly seesLateFailures: boolean;
  /** Vehicles per minute, by how many have started; undefined: all that want the update. */
  readonly perMinute?: ((started: number) => number) | undefined;
}

/** @param fleet number of vehicles */
export function ruledCampaign(
  rule: ShareRule,
  update: Update,
  fleet: number,
  random: Random,
): CampaignEnd {
  const line = new TimeLine();
  let [next, exposed, damaged, finished, failed] = [0, 0, 0, 0, 0];
  const end = (stopped: boolean): CampaignEnd => ({ stopped, exposed, damaged, beyondCap: 0 });
  for (;;) {
    if (exposed < fleet && next <= line.next) {
      const course = courseOf(update, random);
      damaged += Number(course.isDamaged);
      exposed += 1;
      report(line, next, course, rule);
      next += 1 / Math.min(rule.perMinute?.(exposed) ?? Infinity, update.perMinute);
      continue;
    }
    if (line.next === Infinity) return end(false);
    const event = line.take();
    finished += Number(event !== LATE_FAILURE);
    failed += Number(event !== SUCCESS);
    if (finished >= rule.least && failed / finished >= rule.share) return end(true);
  }
}

const [SUCCESS, FAILURE, LATE_FAILURE] = [0, 1, 2];

/** The state of a vehicle as the rule will see it. */
function report(
  line: TimeLine,
  start: number,
  { reboot, success, failure }: Course,
  { timeout, seesLateFailures }: ShareRule,
): void {
  if (success !== undefined) {
    line.add(start + success, SUCCESS);
    if (failure !== undefined && seesLateFailures) line.add(start + failure, LATE_FAILURE);
  } else if (failure !== undefined) line.add(start + failure, FAILURE);
  else if (timeout !== undefined) line.add(start + reboot + timeout, FAILURE);
}
