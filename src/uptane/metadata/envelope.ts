/** The envelope of every metadata file (POUF, section 2): signatures and signed part. */
import { POUF } from '../checks/sections.js';
import { canonicalJson, NotCanonical } from '../json/canonical-json.js';
import { type JsonValue } from '../json/json-value.js';
import { BadJson, parseJson } from '../json/parse-json.js';
import { Reader } from '../json/reader.js';
import { Refusal, type Subject } from '../refusal.js';

export interface Signature {
  readonly keyId: string;
  /** As written, not validated. */
  readonly hex: string;
  /** The whole file. */
  readonly entry: Reader;
}

export interface Envelope {
  readonly signatures: readonly Signature[];
  readonly signed: Reader;
  /** The canonical JSON of `signed`. */
  readonly signedBytes: Uint8Array;
}

/** @throws Refusal */
export function readEnvelope(bytes: Uint8Array, subject: Subject): Envelope {
  return envelopeIn(new Reader(parsed(bytes, subject), subject), subject);
}

/** An envelope inside a larger file. @throws Refusal */
export function envelopeIn(file: Reader, subject: Subject): Envelope {
  const signatures = file
    .member('signatures')
    .items()
    .map((entry) => ({
      keyId: entry.member('keyid').string(),
      hex: entry.member('sig').string(),
      entry,
    }));
  const signed = file.member('signed');
  return { signatures, signed, signedBytes: canonical(signed.object(), subject) };
}

function parsed(bytes: Uint8Array, subject: Subject): JsonValue {
  try {
    return parseJson(bytes);
  } catch (error) {
    if (error instanceof BadJson) throw malformed(subject, error.message);
    throw error;
  }
}

function canonical(value: JsonValue, subject: Subject): Uint8Array {
  try {
    return canonicalJson(value);
  } catch (error) {
    if (error instanceof NotCanonical) throw malformed(subject, `signed ${error.message}`);
    throw error;
  }
}

const malformed = (subject: Subject, fault: string) =>
  new Refusal(subject, { code: 'malformed', check: POUF.metadata, fault });
