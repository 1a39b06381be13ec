/**
 * Files that a key of the signer process may sign. An intruder on the web server can request anything, so the signer
 * parses each request and signs only files of the key's roles. Pure.
 */
import { canonicalJson } from '../../json/canonical-json.js';
import { isObject, type JsonObject } from '../../json/json-value.js';
import { parseJson } from '../../json/parse-json.js';
import { parseUtcTime } from '../../metadata/utc-time.js';

/** Roles whose keys may be online. Never root, whose keys can replace all others. */
export const ONLINE_ROLES = [
  'timestamp',
  'snapshot',
  'targets',
  'director-targets',
  'time',
] as const;
export type OnlineRole = (typeof ONLINE_ROLES)[number];

export const isOnlineRole = (text: string): text is OnlineRole =>
  ONLINE_ROLES.includes(text as OnlineRole);

/** The signer refuses to sign; the message gives the reason. */
export class NotPermitted extends Error {
  override readonly name = 'NotPermitted';
}

export interface SigningLimits {
  /** Maximum validity of metadata. */
  readonly longestDays: number;
  /** The signer's own clock. */
  readonly now: Date;
}

const DAY = 24 * 60 * 60 * 1000;
/** Tolerance between the clocks of the two processes. */
const CLOCK_TOLERANCE = 60 * 1000;

/**
 * @param roles of the key
 * @throws NotPermitted
 */
export function checkPermitted(
  message: Uint8Array,
  roles: readonly OnlineRole[],
  limits: SigningLimits,
): void {
  const signed = parsed(message);
  const type = signed.get('_type');
  const faults: string[] = [];
  for (const role of roles) {
    const fault = FAULT_OF[role](signed, limits);
    if (fault === undefined) return;
    faults.push(`as ${role}: ${fault}`);
  }
  throw new NotPermitted(
    `this key does not sign ${typeof type === 'string' ? type.slice(0, 40) : 'this'} (${faults.join('; ')})`,
  );
}

function parsed(message: Uint8Array): JsonObject {
  let signed: unknown;
  try {
    const value = parseJson(message);
    signed = value;
    // Two parsers could interpret any other bytes differently.
    if (!canonicalJson(value).equals(message)) throw new Error('it is not canonical');
  } catch (error) {
    throw new NotPermitted(`this is not canonical JSON: ${(error as Error).message}`);
  }
  if (signed instanceof Map) return signed as JsonObject;
  throw new NotPermitted('this is not a JSON object');
}

type Fault = (signed: JsonObject, limits: SigningLimits) => string | undefined;

const ofType =
  (type: string, further: Fault): Fault =>
  (signed, limits) =>
    signed.get('_type') === type ? further(signed, limits) : `only _type ${type}`;

const expiringSoon: Fault = (signed, { longestDays, now }) => {
  const expires = signed.get('expires');
  const time = typeof expires === 'string' ? parseUtcTime(expires) : undefined;
  if (time === undefined) return 'it does not expire';
  return time.getTime() > now.getTime() + longestDays * DAY
    ? `it expires in more than ${longestDays} days, on ${time.toISOString()}`
    : undefined;
};

const FAULT_OF: Readonly<Record<OnlineRole, Fault>> = {
  timestamp: ofType('timestamp', expiringSoon),
  snapshot: ofType('snapshot', expiringSoon),
  targets: ofType('targets', expiringSoon),
  'director-targets': ofType('targets', (signed, limits) => {
    const custom = signed.get('custom');
    if (!isObject(custom) || typeof custom.get('vin') !== 'string') return 'it names no vehicle';
    return signed.has('delegations') ? 'it delegates' : expiringSoon(signed, limits);
  }),
  time: ofType('time', (signed, { now }) => {
    const text = signed.get('time');
    const time = typeof text === 'string' ? parseUtcTime(text) : undefined;
    return time === undefined || Math.abs(time.getTime() - now.getTime()) > CLOCK_TOLERANCE
      ? `its time is not that of the signer's clock, ${now.toISOString()}`
      : undefined;
  }),
};
