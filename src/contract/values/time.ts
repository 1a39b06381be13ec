/** Times on the wire (contract sections 2 and 5.3). */
import Type from '../typebox.js';

/** A Unix time: seconds, or milliseconds from 10^11 on (contract section 2). */
export const UnixTime = (description: string) =>
  Type.Number({ description: `${description} Unix time; from 10^11 on it is read as ms.` });

/** The end of the year 9999 in ms: the last that RFC 3339 can write. */
const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The time of an event, in ms: from 1970 to 9999. */
export const TimeOfEvent = (description: string) =>
  Type.Integer({ minimum: 0, maximum: LATEST, description });

/** From this number on, a time is in milliseconds (contract section 2). */
const FIRST_MILLISECONDS = 1e11;

/** Unix time in ms, from a wire time in seconds or milliseconds. */
export function toMilliseconds(time: number): number {
  return Math.trunc(time >= FIRST_MILLISECONDS ? time : time * 1000);
}

/** Unix time in whole seconds, as envelopes carry it, from ms. */
export function toSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}

const EARLIEST_PLAUSIBLE = Date.UTC(2015, 0, 1);
const DAY = 24 * 60 * 60 * 1000;

/**
 * Whether a vehicle's clock reading can be right: not before 2015, and not more than a day after
 * we received it (contract section 5.3).
 *
 * @param time ms
 * @param receivedAt ms
 */
export function isPlausible(time: number, receivedAt: number): boolean {
  return time >= EARLIEST_PLAUSIBLE && time <= receivedAt + DAY;
}

/**
 * The time of an OTA event: the first plausible one of the body's `timestamp`, the envelope's `time`, and the time of
 * receipt (contract section 5.3).
 *
 * @param timestamp wire time from the body
 * @param envelopeTime wire time from the envelope
 * @param receivedAt ms
 * @returns ms
 */
export function eventTimeOf(timestamp: number, envelopeTime: number, receivedAt: number): number {
  const candidates = [toMilliseconds(timestamp), toMilliseconds(envelopeTime)];
  return candidates.find((time) => isPlausible(time, receivedAt)) ?? receivedAt;
}

/** `ttl` of a message that never expires. */
export const NEVER_EXPIRES = -1;

/**
 * When a message stops being of use, in ms; undefined if it never does.
 *
 * @param time wire time of the envelope
 * @param ttl seconds from `time`, -1 = never
 */
export function expiresAt(time: number, ttl: number): number | undefined {
  return ttl < 0 ? undefined : toMilliseconds(time) + ttl * 1000;
}
