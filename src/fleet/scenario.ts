/** What will happen to a simulated vehicle in an update: the same for the same seed and VIN. Pure. */
import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { type EventStatusName, type MetaField } from '../protocol/index.js';

/** How an update ends, and how many of a hundred vehicles it happens to. */
const OUTCOMES = {
  success: 66,
  paused_and_resumed: 7,
  consent_rejected: 6,
  download_fail: 4,
  md5_check_fail: 3,
  pki_check_fail: 3,
  rollback_success: 6,
  rollback_fail: 1,
  cancel: 4,
} as const;
export type Outcome = keyof typeof OUTCOMES;
const TOTAL_SHARE = Object.values<number>(OUTCOMES).reduce((sum, share) => sum + share);

export interface Step {
  /** Before this event, in simulated ms. */
  readonly afterMs: number;
  readonly status: EventStatusName;
  readonly meta: readonly MetaField[];
}

export interface Scenario {
  readonly outcome: Outcome;
  readonly steps: readonly Step[];
  /** It loses its connection before the step with this number, for so long. */
  readonly outage: { readonly beforeStep: number; readonly forMs: number } | undefined;
  /** Sends each message twice. */
  readonly duplicates: boolean;
  /** Sends neighbouring messages in the wrong order. */
  readonly reorders: boolean;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/**
 * @param seed of the fleet
 * @param vin of the vehicle
 * @param refId of the operation: another one goes another way
 */
export function scenarioOf(seed: number, vin: string, refId: string): Scenario {
  const dice = new Dice(`${seed} ${vin} ${refId}`);
  const outcome = dice.outcome();
  const steps = stepsOf(outcome, dice);
  return {
    outcome,
    steps,
    outage: dice.chance(0.15)
      ? { beforeStep: dice.between(1, steps.length - 1), forMs: dice.between(1, 5) * MINUTE }
      : undefined,
    duplicates: dice.chance(0.05),
    reorders: dice.chance(0.05),
  };
}

/** How long after the fleet a vehicle is switched on, simulated ms; most are there at once. */
export function comesOnlineAfterMs(seed: number, vin: string): number {
  const dice = new Dice(`${seed} ${vin}`);
  return dice.chance(0.1) ? dice.between(1, 10) * MINUTE : 0;
}

class Dice {
  readonly #generator;

  constructor(text: string) {
    this.#generator = xoroshiro128plus(createHash('sha256').update(text).digest().readInt32LE());
  }

  chance(probability: number): boolean {
    return uniformFloat64(this.#generator) < probability;
  }

  between(least: number, most: number): number {
    return uniformInt(this.#generator, least, Math.max(least, most));
  }

  outcome(): Outcome {
    let rest = this.between(0, TOTAL_SHARE - 1);
    for (const [outcome, share] of Object.entries(OUTCOMES) as [Outcome, number][]) {
      if (rest < share) return outcome;
      rest -= share;
    }
    return 'success';
  }
}

function stepsOf(outcome: Outcome, dice: Dice): Step[] {
  const steps: Step[] = [];
  const then = (status: EventStatusName, afterMs: number, meta: MetaField[] = []) =>
    steps.push({ afterMs, status, meta });
  const because = (reason: string) => [{ key: 'reason', value: reason }];

  then('received', dice.between(1, 5) * SECOND);
  if (outcome === 'consent_rejected') {
    then('consent_rejected', dice.between(10, 120) * SECOND, because('declined by the user'));
    return steps;
  }
  then('consent_accepted', dice.between(5, 120) * SECOND);
  download(outcome, dice, then, because);
  if (outcome === 'cancel' || outcome === 'download_fail') return steps;

  then('downloaded', dice.between(1, 3) * SECOND);
  if (outcome === 'md5_check_fail') {
    then('md5_check_fail', 5 * SECOND, because('MD5 of the package is not that of the script'));
    return steps;
  }
  then('md5_check_success', 5 * SECOND);
  if (outcome === 'pki_check_fail') {
    then('pki_check_fail', 3 * SECOND, because('certificate expired'));
    return steps;
  }
  then('pki_check_success', 3 * SECOND);
  then('reboot', dice.between(10, 60) * SECOND);
  if (outcome === 'rollback_success' || outcome === 'rollback_fail') {
    then('failure', MINUTE, because('new software did not start'));
    then(outcome, MINUTE, because('new software did not start'));
    return steps;
  }
  then('success', dice.between(30, 90) * SECOND);
  return steps;
}

function download(
  outcome: Outcome,
  dice: Dice,
  then: (status: EventStatusName, afterMs: number, meta?: MetaField[]) => void,
  because: (reason: string) => MetaField[],
): void {
  // One vehicle in ten has a slow connection.
  const tenthMs = dice.between(5, 20) * SECOND * (dice.chance(0.1) ? 5 : 1);
  const stopsAt = dice.between(1, 9);
  for (let tenth = 0; tenth <= 9; tenth++) {
    then('downloading', tenthMs, [{ key: 'download', value: `${tenth * 10}%` }]);
    if (tenth !== stopsAt) continue;
    if (outcome === 'cancel') {
      then('cancel', 5 * SECOND, because('cancelled by the user'));
      return;
    }
    if (outcome === 'download_fail') {
      then('download_fail', MINUTE, because('Network Failure'));
      return;
    }
    if (outcome === 'paused_and_resumed') {
      then('pause', 5 * SECOND);
      then('resume', dice.between(1, 5) * MINUTE);
    }
  }
}
