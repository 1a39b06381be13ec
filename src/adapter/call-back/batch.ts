/** What is posted: the contract's message with a batch of events (section 6). Pure. */
import { PROTOCOL_VERSION } from '../../contract/index.js';
import { eventBody, type StreamEvent } from '../event-stream/index.js';

/** A batch ends before the event with which it would be longer, in characters of JSON. */
const MAX_LENGTH = 1024 * 1024;

export interface Batch {
  /** JSON text of the events, an array. */
  readonly events: string;
  /** Number of its last event. */
  readonly upto: number;
}

/**
 * As many events as fit in one request, at least one.
 *
 * @param upto number of the event up to which `events` were read, all there are
 */
export function batchOf(events: readonly StreamEvent[], upto: number): Batch {
  const bodies: string[] = [];
  let length = 0;
  for (const [n, event] of events.entries()) {
    const body = JSON.stringify(eventBody(event));
    length += body.length;
    const before = events[n - 1];
    if (before && length > MAX_LENGTH) return { events: listOf(bodies), upto: before.position };
    bodies.push(body);
  }
  return { events: listOf(bodies), upto };
}

const listOf = (bodies: readonly string[]) => `[${bodies.join(',')}]`;

/** @param now ms */
export function callbackBody({ events }: Batch, now: number): string {
  return `{"time":${now},"version":"${PROTOCOL_VERSION}","body":{"events":${events}}}`;
}
