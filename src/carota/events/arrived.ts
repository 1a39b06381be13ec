/** The events of a call-back as received, and which of them are valid (contract section 6). Pure. */
import { ReceivedEvent, type RefusalReason } from '../../contract/carota-api/index.js';
import { checkOf } from '../../contract/index.js';
import { elementTexts } from './json-elements.js';

/** One element of `body.events`. */
export interface Arrived {
  /** Parsed, of any shape. */
  readonly json: unknown;
  /** As received. */
  readonly text: () => string;
}

export interface Refusal {
  readonly reason: RefusalReason;
  /** JSON Pointer to the invalid field of the event; '': not a single field. */
  readonly path: string;
  readonly detail: string;
}

/** A valid event, not stored yet. */
export interface Candidate extends Arrived {
  readonly json: ReceivedEvent;
}

export interface Refused {
  readonly arrived: Arrived;
  readonly refusal: Refusal;
}

/** @param text of the request @param events its `body.events`, parsed from the text */
export function arrivedEvents(text: string, events: readonly unknown[]): Arrived[] {
  // Computed only if an event is set aside.
  let texts: string[] | undefined;
  const textOf = (n: number) => (texts ??= elementTexts(text, ['body', 'events']))[n] ?? '';
  return events.map((json, n) => ({ json, text: () => textOf(n) }));
}

const check = checkOf(ReceivedEvent);

/** Separates valid from invalid events, each on its own. */
export function sortOut(arrived: readonly Arrived[]): {
  candidates: Candidate[];
  refused: Refused[];
} {
  const candidates: Candidate[] = [];
  const refused: Refused[] = [];
  for (const each of arrived) {
    if (check.matches(each.json)) {
      candidates.push({ json: each.json, text: each.text });
      continue;
    }
    const [first] = check.errors(each.json);
    const { path = '', message: detail = 'is not an event' } = first ?? {};
    refused.push({ arrived: each, refusal: { reason: 'INVALID_EVENT', path, detail } });
  }
  return { candidates, refused };
}
