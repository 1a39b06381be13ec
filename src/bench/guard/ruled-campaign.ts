/** A campaign under the rules that other systems have: it is stopped by a share of the vehicles that have finished. */
import { type Course, courseOf, PER_MINUTE, type Random, type Update } from './fleet.js';
import { type CampaignEnd } from './outcome.js';
import { TimeLine } from './time-line.js';

export interface ShareRule {
  /** Stopped when this share of the finished vehicles has failed … */
  readonly share: number;
  /** … of at least so many. */
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
  const line = new TimeLine<{ readonly finished: number; readonly failed: number }>();
  let [next, exposed, damaged, finished, failed] = [0, 0, 0, 0, 0];
  const end = (stopped: boolean): CampaignEnd => ({ stopped, exposed, damaged, beyondCap: 0 });
  for (;;) {
    if (exposed < fleet && next <= line.next) {
      const course = courseOf(update, random);
      damaged += Number(course.isDamaged);
      exposed += 1;
      for (const report of reportsOf(course, rule)) line.add(next + report.after, report);
      next += 1 / (rule.perMinute?.(exposed) ?? PER_MINUTE);
      continue;
    }
    const report = line.take();
    if (!report) return end(false);
    finished += report.event.finished;
    failed += report.event.failed;
    if (finished >= rule.least && failed / finished >= rule.share) return end(true);
  }
}

function reportsOf({ reboot, success, failure }: Course, rule: ShareRule) {
  const reports: { after: number; finished: number; failed: number }[] = [];
  if (success !== undefined) reports.push({ after: success, finished: 1, failed: 0 });
  if (failure !== undefined) {
    if (success === undefined) reports.push({ after: failure, finished: 1, failed: 1 });
    else if (rule.seesLateFailures) reports.push({ after: failure, finished: 0, failed: 1 });
  }
  if (success === undefined && failure === undefined && rule.timeout !== undefined) {
    reports.push({ after: reboot + rule.timeout, finished: 1, failed: 1 });
  }
  return reports;
}
