/**
 * Data of several vehicle models for tests of scopes: everything of a model carries a mark, which can be found in the
 * raw bytes of any answer.
 */

/** Models that exist. */
export const MODELS = ['MARKA', 'MARKB', 'MARKC'] as const;
export type Mark = (typeof MODELS)[number];
/** Mark of a model that does not exist: a caller may learn as much of foreign models as the answers about it say. */
export const UNKNOWN = 'MARKX';
/** Marks of vehicles that no limited caller sees: registered without a model, and unregistered. */
export const NOBODYS = ['MARKN', 'MARKU'] as const;

/** Names of everything that a model has in one run of a test. */
export interface Named {
  readonly mark: string;
  readonly run: string;
  readonly model: string;
  readonly refId: string;
  readonly script: string;
  readonly vin: string;
  readonly messageId: string;
}

export const modelOf = (mark: string) => `model ${mark}`;
export const vinFor = (mark: string, n = 1) => mark + String(n).padStart(17 - mark.length, '0');

/** @param run makes the names unique */
export const named = (mark: string, run: string): Named => ({
  mark,
  run,
  model: modelOf(mark),
  refId: `schedule ${mark} ${run}`,
  script: `script ${mark}`,
  vin: vinFor(mark),
  messageId: `msg-dev-${mark}-${run}`,
});

/** @param own marks that the caller's scopes permit @returns other marks that were found */
export const foreignMarksIn = (bytes: string, own: readonly string[]): string[] =>
  [...MODELS, ...NOBODYS].filter(
    (mark) => !own.includes(mark) && bytes.toUpperCase().includes(mark),
  );
