/**
 * Wald's sequential probability ratio test (A. Wald, Sequential Tests of Statistical Hypotheses, 1945) of a failure
 * rate: after each vehicle, is it tolerable, intolerable, or not known yet? Pure.
 */
import { type Figures, type TestSettings } from '../../contract/carota-api/index.js';

export type Finding = 'stop' | 'go' | 'undecided';

/**
 * The bounds are those that hold whatever the rates are: likelier by 1 ÷ p under the wrong hypothesis it becomes with the
 * probability p at most (Ville's inequality). Wald's own, (1 - β) ÷ α and β ÷ (1 - α), are a little closer and hold only
 * nearly.
 */
export function figuresOf(
  { tolerated, intolerable, falseStop, missedStop }: TestSettings,
  succeeded: number,
  failed: number,
): Figures {
  return {
    succeeded,
    failed,
    evidence:
      failed * Math.log(intolerable / tolerated) +
      succeeded * Math.log((1 - intolerable) / (1 - tolerated)),
    stopAt: -Math.log(falseStop),
    goAt: Math.log(missedStop),
  };
}

export function findingOf({ evidence, stopAt, goAt }: Figures): Finding {
  if (evidence >= stopAt) return 'stop';
  return evidence <= goAt ? 'go' : 'undecided';
}

/**
 * Each wave may begin a test of its own. That all of them together stop falsely as seldom as is set, each has its
 * part of that probability.
 */
export const forOneOf = (settings: TestSettings, waves: number): TestSettings => ({
  ...settings,
  falseStop: settings.falseStop / Math.max(1, waves),
});
