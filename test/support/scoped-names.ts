/**
 * Data of several vehicle models for tests of scopes: everything of a model carries a mark, by which it is found in the raw
 * bytes of any answer.
 */

/** Models that there are. */
export const MODELS = ['MARKA', 'MARKB', 'MARKC'] as const;
export type Mark = (typeof MODELS)[number];
/** Of what there is not: answers about it are the measure for what somebody may learn of foreign models. */
export const UNKNOWN = 'MARKX';
/** Of vehicles that no limited caller sees: registered without a model, and not registered. */
export const NOBODYS = ['MARKN', 'MARKU'] as const;

/** Names of all that a model has, in one run of a test. */
export interface Named {
  readonly mark: string;
  readonly model: string;
  readonly refId: string;
  readonly script: string;
  readonly vin: string;
  readonly messageId: string;
}

export const modelOf = (mark: string) => `model ${mark}`;
export const vinFor = (mark: string, n = 1) => mark + String(n).padStart(17 - mark.length, '0');

/** @param run names are unique by it */
export const named = (mark: string, run: string): Named => ({
  mark,
  model: modelOf(mark),
  refId: `schedule ${mark} ${run}`,
  script: `script ${mark}`,
  vin: vinFor(mark),
  messageId: `msg-dev-${mark}-${run}`,
});

/** The marks that somebody may see by their scopes. @returns those found all the same */
export const foreignMarksIn = (bytes: string, own: readonly string[]): string[] =>
  [...MODELS, ...NOBODYS].filter(
    (mark) => !own.includes(mark) && bytes.toUpperCase().includes(mark),
  );
