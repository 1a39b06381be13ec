/** The body of a call-back: a batch of events (contract section 6). Pure. */
import { PROTOCOL_VERSION } from '../../contract/index.js';
import { eventBody, type StreamEvent } from '../event-stream/index.js';

/** Maximum length of a batch, in characters of JSON; a single event may be longer. */
const MAX_LENGTH = 1024 * 1024;

export interface Batch {
  /** The events as a JSON array. */
  readonly events: string;
  /** Number of its last event. */
  readonly upto: number;
}

/**
 * As many events as fit into one request, at least one.
 *
 * @param upto position up to which `events` are complete
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
