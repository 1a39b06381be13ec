/**
 * Wald's sequential probability ratio test (A. Wald, Sequential Tests of Statistical Hypotheses, 1945) of a failure rate:
 * after each vehicle, is the rate tolerable, intolerable or still undecided? Pure.
 */
import { type Figures, type TestSettings } from '../../contract/carota-api/index.js';

export type Finding = 'stop' | 'go' | 'undecided';

/**
 * The bounds hold for any rates: under the wrong hypothesis, the likelihood ratio exceeds 1/p with probability at most p
 * (Ville's inequality). Wald's own bounds, (1 - β)/α and β/(1 - α), are slightly tighter but only approximate.
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

/** Each wave may start its own test; the false-stop probability is divided among them, so that it holds for all together. */
export const forOneOf = (settings: TestSettings, waves: number): TestSettings => ({
  ...settings,
  falseStop: settings.falseStop / Math.max(1, waves),
});
