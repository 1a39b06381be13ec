/** Limits on the dead letters that are kept, each a setting (docs/deployment.md). */
export interface DeadLetterLimits {
  /** Of one vehicle, not counting those that were replayed. */
  readonly perVehicle: number;
  /** Of all vehicles together, bytes. */
  readonly bytes: number;
}

const GIBIBYTE = 1024 ** 3;
export const DEFAULT_DEAD_LETTER_LIMITS: DeadLetterLimits = {
  perVehicle: 1_000,
  bytes: 10 * GIBIBYTE,
};
