import { type RepositoryRole } from '../../contract/carota-api/index.js';
import { duration } from '../format/numbers.js';
import { Time } from '../ui/time.js';

const SIGNS = {
  valid: { text: 'valid', means: 'good' },
  'expires-soon': { text: 'expires soon', means: 'warn' },
  expired: { text: 'expired', means: 'bad' },
} as const;

const DAY_SECONDS = 24 * 60 * 60;

/** The expiry of a role, and whether it needs attention. */
export function Expiry({
  role: { expires, daysLeft, validity },
}: {
  role: Pick<RepositoryRole, 'expires' | 'daysLeft' | 'validity'>;
}) {
  const { text, means } = SIGNS[validity];
  const distance = duration(Math.abs(daysLeft) * DAY_SECONDS);
  return (
    <>
      <span className={`status status-${means}`}>{text}</span>
      <small>
        <Time at={expires} />
        {daysLeft > 0 ? `, in ${distance}` : `, ${distance} ago`}
      </small>
    </>
  );
}
