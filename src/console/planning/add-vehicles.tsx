import { useState } from 'react';
import { type WholeSchedule } from '../api/carota.js';
import { at } from '../api/client.js';
import { useAskAgain } from '../api/use-query.js';
import { useMay } from '../app/session.js';
import { lineFormat } from '../fleet/line-format.js';
import { vehicles } from '../format/numbers.js';
import { DropZone } from '../ui/drop-zone.js';
import { Card } from '../ui/page.js';

/** Of a schedule that names its vehicles, until it was approved or starts. */
export function AddVehicles({ schedule }: { schedule: WholeSchedule }) {
  const { 'ref-id': refId, status, approvedAt, plan } = schedule;
  const askAgain = useAskAgain();
  const [added, setAdded] = useState<{ name: string; count: number }>();
  const isOpen = (status === 'proposed' || status === 'planned') && approvedAt === null;
  if (!useMay('plan') || !isOpen || plan.filter) return null;
  return (
    <Card title="More vehicles">
      <DropZone<{ vehicles: number }>
        label="Drop a CSV with a column vin here, or choose one"
        help="Of any length; a VIN that is in the schedule already is in it once. A fault in any line, and none is added."
        accept=".csv,.ndjson,.jsonl,text/csv,application/x-ndjson"
        target={(file) => ({
          path: at`/v1.0/schedules/${refId}/vehicles`,
          contentType: lineFormat(file),
        })}
        onDone={({ vehicles: count }, { name }) => {
          setAdded({ name, count });
          void askAgain(`schedule:${refId}`);
        }}
      />
      {added && (
        <p role="status">
          <b>{added.name}</b> had {vehicles(added.count)}.
        </p>
      )}
    </Card>
  );
}
