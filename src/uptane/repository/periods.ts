/** Validity periods of each role's metadata, and times in metadata format. */
import { formatUtcTime } from '../metadata/utc-time.js';
import { BadJson, parseJson } from '../json/parse-json.js';
import { Reader } from '../json/reader.js';
import { RepositoryFault } from './fault.js';
import { isTopRole, type TopRole } from './role-keys.js';

/** In days. */
export type Periods = Readonly<Record<TopRole | 'delegated', number>>;

/** Uptane Deployment Best Practices, "Metadata expiration times"; snapshot and timestamp are signed online. */
export const DEFAULT_PERIODS: Periods = {
  root: 365,
  targets: 180,
  delegated: 180,
  snapshot: 7,
  timestamp: 1,
};

export const LONGEST_PERIOD = 3_660;

/** A Director's folder contains only the root: its other roles are signed online, for each vehicle. */
export type RepositoryKind = 'image' | 'director';

/** Content of `repository.json`. */
export interface RepositorySettings {
  readonly kind: RepositoryKind;
  readonly periods: Periods;
}

const DAY = 24 * 60 * 60 * 1000;

export const daysOf = (role: string, periods: Periods): number =>
  isTopRole(role) ? periods[role] : periods.delegated;

export const expiryAfter = (now: Date, days: number): string =>
  formatUtcTime(new Date(now.getTime() + days * DAY));

/** Negative after expiry. */
export const daysUntil = (expires: string, now: Date): number =>
  (Date.parse(expires) - now.getTime()) / DAY;

export const writeSettings = ({ kind, periods }: RepositorySettings): string =>
  `${JSON.stringify({ repository: kind, expiresAfterDays: periods }, null, 2)}\n`;

/** @throws RepositoryFault, Refusal */
export function readSettings(bytes: Uint8Array): RepositorySettings {
  const file = new Reader(parsed(bytes), { repository: 'image', role: 'repository.json' });
  const days = file.member('expiresAfterDays');
  const of = (role: string) => {
    const member = days.member(role);
    return member.integer(1) > LONGEST_PERIOD
      ? member.refuse(`at most ${LONGEST_PERIOD}`)
      : member.integer(1);
  };
  return {
    kind: readKind(file.member('repository')),
    periods: {
      root: of('root'),
      targets: of('targets'),
      delegated: of('delegated'),
      snapshot: of('snapshot'),
      timestamp: of('timestamp'),
    },
  };
}

function readKind(member: Reader): RepositoryKind {
  const kind = member.string();
  return kind === 'image' || kind === 'director' ? kind : member.refuse('"image" or "director"');
}

function parsed(bytes: Uint8Array) {
  try {
    return parseJson(bytes);
  } catch (error) {
    if (error instanceof BadJson) throw new RepositoryFault(`repository.json ${error.message}`);
    throw error;
  }
}
