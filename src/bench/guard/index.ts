/** How far a bad update comes before it is stopped: under the guard, and under the rules that other systems have. */
import { type TestSettings } from '../../contract/carota-api/index.js';
import { median } from '../report.js';
import { FLEET, MANNERS, randomFrom, RIVIAN, type Update, updateOf } from './fleet.js';
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
  const good = updateOf(GUARD_TEST.tolerated, 'loudly');
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
  /** Of all runs under the guard, see `CampaignEnd`: the most, and in which share of them there were any. */
  readonly beyondCap: { readonly most: number; readonly share: number };
}

export interface GuardFigures {
  readonly falseStops: { readonly guard: number; readonly fixed: number; readonly job: number };
  readonly least: { readonly fixed: number; readonly job: number };
  readonly columns: readonly Column[];
  /** Rivian 2023.42, see `RIVIAN`. */
  readonly rivian: Column & { readonly reached: number };
}

/**
 * @param runs of each campaign
 * @param tell receives progress messages
 */
export function guardFigures(runs: number, tell: (line: string) => void): GuardFigures {
  tell('guard: rules with the same probability of a false stop');
  const rules = { fixed: calibrated(fixedRule), job: calibrated(jobRule) };
  const column = (update: Update) => {
    tell(`guard: damages ${update.rate * 100} % ${update.manner}`);
    return columnOf(update, rules, runs);
  };
  return {
    falseStops: {
      guard: falseStops(underGuard),
      fixed: falseStops(under(rules.fixed)),
      job: falseStops(under(rules.job)),
    },
    least: { fixed: rules.fixed.least, job: rules.job.least },
    columns: MANNERS.flatMap((manner) => RATES.map((rate) => column(updateOf(rate, manner)))),
    rivian: { ...column(RIVIAN.update), reached: RIVIAN.reached },
  };
}

function columnOf(
  update: Update,
  rules: { readonly fixed: ShareRule; readonly job: ShareRule },
  runs: number,
): Column {
  const ends = (campaign: Campaign) => runsOf(campaign, update, runs);
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
    beyondCap: {
      most: Math.max(...guard.map(({ beyondCap }) => beyondCap)),
      share: guard.filter(({ beyondCap }) => beyondCap > 0).length / guard.length,
    },
  };
}

/** Runs in which nothing stops the update all reach the whole fleet: a few of them show it. */
const ENOUGH_UNSTOPPED = 5;

function runsOf(campaign: Campaign, update: Update, runs: number): CampaignEnd[] {
  const ends: CampaignEnd[] = [];
  for (let run = 0; run < runs; run += 1) {
    ends.push(campaign(update, FLEET, SEED + run));
    if (run + 1 === ENOUGH_UNSTOPPED && ends.every(({ stopped }) => !stopped)) return ends;
  }
  return ends;
}
