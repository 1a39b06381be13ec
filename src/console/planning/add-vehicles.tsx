import { useState } from 'react';
import { type ScheduleDetails, scheduleVehicleApi } from '../../contract/carota-api/index.js';
import { useRefetch } from '../api/use-query.js';
import { useMay } from '../app/session.js';
import { lineFormat } from '../fleet/line-format.js';
import { vehicles } from '../format/numbers.js';
import { DropZone } from '../ui/drop-zone.js';
import { Card } from '../ui/page.js';

/** Adds vehicles to a schedule that names them, until it is approved or starts. */
export function AddVehicles({ schedule }: { schedule: ScheduleDetails }) {
  const { 'ref-id': refId, status, approvedAt, plan } = schedule;
  const refetch = useRefetch();
  const [added, setAdded] = useState<{ name: string; count: number }>();
  const isOpen = (status === 'proposed' || status === 'planned') && approvedAt === null;
  if (!useMay('plan') || !isOpen || plan.filter) return null;
  return (
    <Card title="More vehicles">
      <DropZone
        label="Drop a CSV with a column vin here, or choose one"
        help="Of any length; a VIN already in the schedule is not added twice. If any line is invalid, nothing is added."
        accept=".csv,.ndjson,.jsonl,text/csv,application/x-ndjson"
        route={scheduleVehicleApi.addScheduleVehicles}
        request={() => ({ params: { 'ref-id': refId } })}
        contentType={lineFormat}
        onDone={({ vehicles: count }, { name }) => {
          setAdded({ name, count });
          void refetch(`schedule:${refId}`);
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
