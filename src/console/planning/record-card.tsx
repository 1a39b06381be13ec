/** The record of a schedule that a regulator reads (docs/record.md), to save. */
import { dossierApi, type ScheduleDetails } from '../../contract/carota-api/index.js';
import { pathOf } from '../../contract/http/index.js';
import { Card } from '../ui/page.js';

const KINDS = [
  { label: 'JSON Lines', query: '' },
  { label: 'PDF', query: '?format=pdf' },
  { label: 'Archive with pseudonyms', query: '?pseudonymous=true' },
] as const;

export function RecordCard({ schedule }: { schedule: ScheduleDetails }) {
  const path = pathOf(dossierApi.getDossier, { 'ref-id': schedule['ref-id'] });
  return (
    <Card title="Record">
      <p className="muted">
        Everything stored about this schedule, hash-chained and sealed.
        {schedule.endedAt === null && ' The schedule has not ended, so this is not final.'}
      </p>
      <p>
        {KINDS.map(({ label, query }) => (
          <a key={label} className="button" href={`${path}${query}`} download>
            {label}
          </a>
        ))}
      </p>
    </Card>
  );
}
