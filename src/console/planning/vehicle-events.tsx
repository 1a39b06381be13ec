import { Link } from 'wouter';
import { type VehicleEvent } from '../../contract/carota-api/index.js';
import { scheduleAt } from '../app/address.js';
import { Empty } from '../ui/notes.js';
import { Card } from '../ui/page.js';
import { State } from '../ui/state.js';
import { type Column, Table } from '../ui/table.js';
import { Time } from '../ui/time.js';

/** A vehicle's reports in the schedules of the user's vehicle models. */
export function VehicleEvents({ events }: { events: readonly VehicleEvent[] }) {
  return (
    <Card title="Events" note="newest first" wide>
      <Table
        label="Events"
        columns={EVENTS}
        items={events}
        keyOf={(event) => event['event-id']}
        empty={<Empty title="No events yet." />}
      />
    </Card>
  );
}

const EVENTS: readonly Column<VehicleEvent>[] = [
  { title: 'Received', cell: (event) => <Time at={event['received-at']} style="precise" /> },
  { title: 'Vehicle’s time', cell: (event) => <Time at={event.timestamp} style="precise" /> },
  {
    title: 'Schedule',
    cell: ({ 'ref-id': refId }) => <Link href={scheduleAt(refId)}>{refId}</Link>,
  },
  { title: 'State', cell: (event) => <State state={event['status-name']} /> },
  {
    title: 'Details',
    cell: ({ meta }) => meta.map(({ key, value }) => `${key} ${value}`).join(', '),
  },
];
