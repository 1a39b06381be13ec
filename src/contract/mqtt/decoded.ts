/** What decoding foreign input gives: the message, or the reason why it is none. */
import { type MESSAGE_FAULTS } from '../dead-letter-reasons.js';

/** Stable codes for faults of a received message. */
export type FaultCode = keyof typeof MESSAGE_FAULTS;

/** Why a message cannot be read. */
export interface Fault {
  readonly code: FaultCode;
  /** JSON Pointer (RFC 6901) to the fault; fields of the decoded body are under `/body`. */
  readonly path: string;
  /** One sentence for a person. */
  readonly message: string;
}

/** The result of decoding: a value, or the fault that prevented it. */
export type Decoded<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: Fault };

/** A successful result. */
export const decoded = <T>(value: T): Decoded<T> => ({ ok: true, value });

/** A failed result. Path and message are shortened and made printable, as they may quote foreign input. */
export const faulty = (code: FaultCode, path: string, message: string): Decoded<never> => ({
  ok: false,
  fault: { code, path: printable(path), message: printable(message) },
});

/** Longest path or message, in UTF-16 code units: a key may be as long as a message. */
const MAX_LENGTH = 1_000;

/** What quotes a faulty message must not be a fault itself. */
const printable = (text: string) =>
  text
    .slice(0, MAX_LENGTH)
    .toWellFormed()
    .replace(/\p{Cc}/gu, '\uFFFD');
