/**
 * The time, signed with a key from provisioning (Uptane, "Download and check current time"). It contains the nonces of
 * the requesting ECUs, so that an old answer is useless to an attacker.
 */
import { type Envelope, readEnvelope } from '../metadata/envelope.js';
import { formatUtcTime, parseUtcTime } from '../metadata/utc-time.js';
import { Reader } from '../json/reader.js';
import { parseJson, BadJson } from '../json/parse-json.js';
import { readNonce } from '../manifest/nonce.js';
import { POUF } from '../checks/sections.js';
import { Refusal, type Subject } from '../refusal.js';
import { type SignedPart } from '../signing/sign.js';

/** Maximum number of nonces per request: one for each ECU. */
const MOST_NONCES = 100;

/** Maximum size of request and answer, bytes. */
const LARGEST_TIME_REQUEST = 16_384;
export const LARGEST_SIGNED_TIME = 16_384;

const SUBJECT: Subject = { repository: 'director', role: 'time' };

/** Body of `POST {director}/{vin}/time`. @param nonces 1 to 100, each 32 lower-case hex digits */
export const timeRequest = (nonces: readonly string[]): Buffer =>
  Buffer.from(JSON.stringify({ nonces }), 'utf8');

/** The nonces of a request, in order. @throws Refusal `malformed`, `length` */
export function readTimeRequest(bytes: Uint8Array): readonly string[] {
  checkLength(bytes, LARGEST_TIME_REQUEST);
  return readNonces(new Reader(parsed(bytes), SUBJECT).member('nonces'));
}

/** The `signed` value of the answer. */
export const timePayload = (time: Date, nonces: readonly string[]): SignedPart => ({
  _type: 'time',
  time: formatUtcTime(time),
  nonces,
});

export interface SignedTime {
  readonly envelope: Envelope;
  readonly subject: Subject;
  /** Whole seconds. */
  readonly time: Date;
  readonly nonces: readonly string[];
}

/** Parses the answer; `check-time.ts` decides whether to trust it. @throws Refusal `malformed`, `length` */
export function readSignedTime(bytes: Uint8Array): SignedTime {
  checkLength(bytes, LARGEST_SIGNED_TIME);
  const envelope = readEnvelope(bytes, SUBJECT);
  const { signed } = envelope;
  const type = signed.member('_type');
  if (type.string() !== 'time') type.refuse('"time"');
  const timeMember = signed.member('time');
  const time = parseUtcTime(timeMember.string());
  if (!time) return timeMember.refuse('a time like 2030-01-31T23:59:59Z');
  return { envelope, subject: SUBJECT, time, nonces: readNonces(signed.member('nonces')) };
}

function readNonces(member: Reader): string[] {
  const items = member.items();
  if (items.length === 0) member.refuse('at least one nonce');
  if (items.length > MOST_NONCES) member.refuse(`at most ${MOST_NONCES} nonces`);
  return items.map(readNonce);
}

function checkLength(bytes: Uint8Array, most: number): void {
  if (bytes.length <= most) return;
  throw new Refusal(SUBJECT, {
    code: 'length',
    check: POUF.time,
    fault: 'is too long',
    expected: `at most ${most} bytes`,
    found: `${bytes.length} bytes`,
    attack: 'endless-data',
  });
}

function parsed(bytes: Uint8Array) {
  try {
    return parseJson(bytes);
  } catch (error) {
    if (!(error instanceof BadJson)) throw error;
    throw new Refusal(SUBJECT, { code: 'malformed', check: POUF.time, fault: error.message });
  }
}
