/** A run of the benchmark: its options and its results so far. */
import { type Part } from './parts.js';
import { type Figure } from './report.js';

export interface BenchOptions {
  readonly parts: readonly Part[];
  readonly rounds: number;
  /** Events of a round. */
  readonly events: number;
  /** Sizes of the operations in part `sizes`. */
  readonly sizes: readonly number[];
  /** Earlier messages in part `history`. */
  readonly history: readonly number[];
  /** Folder of another release that is built, to measure beside this one. */
  readonly reference?: string | undefined;
  /** VINs in part `trigger`. */
  readonly vins: number;
  /** Simulated runs of each campaign in part `guard`. */
  readonly guardRuns: number;
  /** Of load in part `console`. */
  readonly minutes: number;
  /** Receives progress messages, and each figure once it is known. */
  readonly tell: (line: string) => void;
}

export interface Run extends BenchOptions {
  readonly figures: Figure[];
}
