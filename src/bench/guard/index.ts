/** How far a bad update comes before it is stopped: under the guard, and under the rules that other systems have. */
import { type TestSettings } from '../../contract/carota-api/index.js';
import { median } from '../report.js';
import { FLEET, type Manner, MANNERS, randomFrom, type Update } from './fleet.js';
import { guardedCampaign } from './guarded-campaign.js';
import { type CampaignEnd } from './outcome.js';
import { ruledCampaign, type ShareRule } from './ruled-campaign.js';

export const GUARD_TEST: TestSettings = {
  tolerated: 0.001,
  intolerable: 0.01,
  falseStop: 0.05,
  missedStop: 0.05,
};
/** Shares of the vehicles that a bad update damages. */
const RATES = [0.01, 0.05, 0.2, 1];
/** Between the tolerated and the intolerable rate. */
const FIXED_SHARE = 0.005;
const RUNS = 2_000;
/** A good update goes through the whole fleet, so fewer and smaller ones must do. */
const GOOD_RUNS = 400;
const GOOD_FLEET = 3_000;
const SEED = 20_261_127;

const fixedRule = (least: number): ShareRule => ({
  share: FIXED_SHARE,
  least,
  timeout: undefined,
  seesLateFailures: true,
});
/** As the abort criteria of a job: failed and timed out, with an exponential rollout, which starts slowly. */
const jobRule = (least: number): ShareRule => ({
  share: FIXED_SHARE,
  least,
  timeout: 60,
  seesLateFailures: false,
  perMinute: (started) => Math.min(100, 25 * 2 ** Math.floor(started / 1_000)),
});

type Campaign = (update: Update, fleet: number, seed: number) => CampaignEnd;

const underGuard: Campaign = (update, fleet, seed) =>
  guardedCampaign(GUARD_TEST, update, fleet, randomFrom(seed));
const under =
  (rule: ShareRule): Campaign =>
  (update, fleet, seed) =>
    ruledCampaign(rule, update, fleet, randomFrom(seed));

function falseStops(campaign: Campaign): number {
  const good: Update = { rate: GUARD_TEST.tolerated, manner: 'loudly' };
  let stops = 0;
  for (let run = 0; run < GOOD_RUNS; run += 1) {
    stops += Number(campaign(good, GOOD_FLEET, SEED + run).stopped);
  }
  return stops / GOOD_RUNS;
}

/** The smallest number of finished vehicles with which a rule stops falsely no more often than the guard may. */
function calibrated(rule: (least: number) => ShareRule): ShareRule {
  for (let least = 250; ; least += 250) {
    const chosen = rule(least);
    if (falseStops(under(chosen)) <= GUARD_TEST.falseStop) return chosen;
  }
}

export interface Column {
  readonly update: Update;
  /** Medians over all runs. */
  readonly exposed: { readonly guard: number; readonly fixed: number; readonly job: number };
  readonly damaged: { readonly guard: number; readonly fixed: number; readonly job: number };
  /** Over all runs: most vehicles that were exposed and undecided beyond the cap. */
  readonly beyondCap: number;
}

export interface GuardFigures {
  readonly falseStops: { readonly guard: number; readonly fixed: number; readonly job: number };
  readonly least: { readonly fixed: number; readonly job: number };
  readonly columns: readonly Column[];
  /** Rivian 2023.42, see `rivian`. */
  readonly rivian: Column;
}

export function guardFigures(): GuardFigures {
  const fixed = calibrated(fixedRule);
  const job = calibrated(jobRule);
  const column = (rate: number, manner: Manner) => columnOf({ rate, manner }, { fixed, job });
  return {
    falseStops: {
      guard: falseStops(underGuard),
      fixed: falseStops(under(fixed)),
      job: falseStops(under(job)),
    },
    least: { fixed: fixed.least, job: job.least },
    columns: MANNERS.flatMap((manner) => RATES.map((rate) => column(rate, manner))),
    // In November 2023, software 2023.42 of Rivian carried a wrong certificate: it reached 3 % of the fleet within two hours
    // until people stopped it, and no vehicle that had started reported success.
    rivian: column(1, 'silently'),
  };
}

function columnOf(update: Update, rules: { fixed: ShareRule; job: ShareRule }): Column {
  const ends = (campaign: Campaign) => runsOf(campaign, update);
  const [guard, fixed, job] = [ends(underGuard), ends(under(rules.fixed)), ends(under(rules.job))];
  const medians = (of: (end: CampaignEnd) => number) => ({
    guard: median(guard.map(of)),
    fixed: median(fixed.map(of)),
    job: median(job.map(of)),
  });
  return {
    update,
    exposed: medians(({ exposed }) => exposed),
    damaged: medians(({ damaged }) => damaged),
    beyondCap: Math.max(...guard.map(({ beyondCap }) => beyondCap)),
  };
}

/** Runs in which nothing stops the update all reach the whole fleet: a few of them show it. */
const ENOUGH_UNSTOPPED = 5;

function runsOf(campaign: Campaign, update: Update): CampaignEnd[] {
  const ends: CampaignEnd[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    ends.push(campaign(update, FLEET, SEED + run));
    if (run + 1 === ENOUGH_UNSTOPPED && ends.every(({ stopped }) => !stopped)) return ends;
  }
  return ends;
}
