/**
 * Estimates the database's clock from readings of it. Pure.
 *
 * A reading is a proof: the clock showed `time` at some moment between request and response. So each reading bounds the
 * difference between the two clocks from both sides, and the bounds of several readings are intersected, as in NTP
 * (RFC 5905, section 11.2.1, after Marzullo). A slow answer gives wide bounds and does no harm.
 */

/** One reading of the database's clock. */
export interface Reading {
  /** When it was requested and when it arrived, by our monotonic clock, ms. */
  readonly askedAt: number;
  readonly answeredAt: number;
  /** The database's clock, ms since 1970. */
  readonly time: number;
}

/** Bounds of the database's clock minus our monotonic clock. */
export interface ClockEstimate {
  /** ms */
  readonly low: number;
  readonly high: number;
  /** When these bounds held, by our monotonic clock, ms. */
  readonly at: number;
}

/** How far two clocks drift apart: 500 ppm is the most that NTP corrects (RFC 5905, section 5.2). */
const DRIFT = 500e-6;

/** The estimate after another reading. If both cannot be true, the clock was set, or it is a different clock. */
export function afterReading(before: ClockEstimate | undefined, reading: Reading): ClockEstimate {
  const { askedAt, answeredAt, time } = reading;
  const bounds = { low: time - answeredAt, high: time - askedAt, at: answeredAt };
  if (!before) return bounds;
  const drift = DRIFT * Math.max(0, answeredAt - before.at);
  const low = Math.max(bounds.low, before.low - drift);
  const high = Math.min(bounds.high, before.high + drift);
  return low <= high ? { low, high, at: answeredAt } : bounds;
}

/** The database's clock, ms since 1970. @param at by our monotonic clock, ms */
export const timeAt = ({ low, high }: ClockEstimate, at: number): number => at + (low + high) / 2;
