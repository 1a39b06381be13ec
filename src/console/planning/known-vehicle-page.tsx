import { Link } from 'wouter';
import {
  vehicleApi,
  type VehicleEvent,
  type VehicleWithEvents,
} from '../../contract/carota-api/index.js';
import { useApi } from '../api/use-query.js';
import { scheduleAt, usePathPart } from '../app/address.js';
import { Answered, Empty } from '../ui/notes.js';
import { Card, Page } from '../ui/page.js';
import { State } from '../ui/state.js';
import { type Column, Table } from '../ui/table.js';
import { Time } from '../ui/time.js';

/** A vehicle of the CarOTA Server, with its events in all schedules. */
export function KnownVehiclePage() {
  const vin = usePathPart(1).toUpperCase();
  const answer = useApi(vehicleApi.getVehicle, { params: { vin } }, { topics: ['schedules'] });
  return (
    <Page title={vin}>
      <Answered answer={answer} lines={8}>
        {(vehicle) => <KnownVehicle vehicle={vehicle} />}
      </Answered>
    </Page>
  );
}

function KnownVehicle({ vehicle }: { vehicle: VehicleWithEvents }) {
  const { model, tags, versions, updatedAt, events } = vehicle;
  return (
    <div className="cards">
      <Card title="About this vehicle">
        <dl className="facts">
          <dt>Model</dt>
          <dd>{model}</dd>
          <dt>Tags</dt>
          <dd>{tags.length === 0 ? 'none' : tags.join(', ')}</dd>
          <dt>Changed</dt>
          <dd>
            <Time at={updatedAt} />
          </dd>
        </dl>
      </Card>
      <Card title="Installed">
        <Table
          label="Installed versions"
          columns={[
            { title: 'ECU', cell: ([ecu]) => ecu },
            { title: 'Version', cell: ([, version]) => version },
          ]}
          items={Object.entries(versions)}
          keyOf={([ecu]) => ecu}
          empty={
            <Empty title="Installed versions unknown.">
              <p>A vehicle reports them with success; an import may name them too.</p>
            </Empty>
          }
        />
      </Card>
      <Card title="Events" note="newest first" wide>
        <Table
          label="Events"
          columns={EVENTS}
          items={events}
          keyOf={(event) => event['event-id']}
          empty={<Empty title="No events yet." />}
        />
      </Card>
    </div>
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
