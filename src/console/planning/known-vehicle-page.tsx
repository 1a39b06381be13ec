import { Link } from 'wouter';
import { type VehicleEvent, type WholeKnownVehicle } from '../api/carota.js';
import { at } from '../api/client.js';
import { useApi } from '../api/use-query.js';
import { scheduleAt, usePathPart } from '../app/address.js';
import { Answered, Empty } from '../ui/notes.js';
import { Card, Page } from '../ui/page.js';
import { State } from '../ui/state.js';
import { type Column, Table } from '../ui/table.js';
import { Time } from '../ui/time.js';

/** What the CarOTA Server knows of a vehicle, and what happened to it in its schedules. */
export function KnownVehiclePage() {
  const vin = usePathPart(1).toUpperCase();
  const answer = useApi<WholeKnownVehicle>(
    at`/v1.0/vehicles/${vin}`,
    {},
    { topics: ['schedules'] },
  );
  return (
    <Page title={vin}>
      <Answered answer={answer} lines={8}>
        {(vehicle) => <Whole vehicle={vehicle} />}
      </Answered>
    </Page>
  );
}

function Whole({ vehicle }: { vehicle: WholeKnownVehicle }) {
  const { model, tags, versions, updatedAt, events } = vehicle;
  return (
    <div className="cards">
      <Card title="What is known">
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
            <Empty title="It is not known what it runs.">
              <p>A vehicle says so with success, and an import may.</p>
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
          empty={<Empty title="It has reported nothing yet." />}
        />
      </Card>
    </div>
  );
}

const EVENTS: readonly Column<VehicleEvent>[] = [
  { title: 'Received', cell: ({ receivedAt }) => <Time at={receivedAt} style="precise" /> },
  { title: 'Vehicle’s time', cell: (event) => <Time at={event.at} style="precise" /> },
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
