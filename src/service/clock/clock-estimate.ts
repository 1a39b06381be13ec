/**
 * What the database's clock says now, from readings of it. Pure.
 *
 * A reading is a proof: the clock said `time` at some moment between the question and the answer. So each bounds the
 * difference between the two clocks from both sides, and bounds of several readings are intersected, as NTP does
 * (RFC 5905, section 11.2.1, after Marzullo). A slow answer gives wide bounds and spoils nothing.
 */

/** One reading of the database's clock. */
export interface Reading {
  /** When it was asked for and when it was there, by our monotonic clock, ms. */
  readonly askedAt: number;
  readonly answeredAt: number;
  /** What the database's clock said, ms since 1970. */
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

/** The estimate after another reading. Where both cannot be true, the clock was set, or it is another clock. */
export function afterReading(before: ClockEstimate | undefined, reading: Reading): ClockEstimate {
  const { askedAt, answeredAt, time } = reading;
  const bounds = { low: time - answeredAt, high: time - askedAt, at: answeredAt };
  if (!before) return bounds;
  const drift = DRIFT * Math.max(0, answeredAt - before.at);
  const low = Math.max(bounds.low, before.low - drift);
  const high = Math.min(bounds.high, before.high + drift);
  return low <= high ? { low, high, at: answeredAt } : bounds;
}

/** What the database's clock says, ms since 1970. @param at by our monotonic clock, ms */
export const timeAt = ({ low, high }: ClockEstimate, at: number): number => at + (low + high) / 2;
