import { useState } from 'react';
import { Link } from 'wouter';
import {
  insightApi,
  type Vehicle,
  type VehicleInOperation,
} from '../../contract/adapter-api/index.js';
import { useApi } from '../api/use-query.js';
import { operationAt, usePathPart } from '../app/address.js';
import { count } from '../format/numbers.js';
import { Answered, Empty } from '../ui/notes.js';
import { Card, Page } from '../ui/page.js';
import { State } from '../ui/state.js';
import { Table } from '../ui/table.js';
import { Time } from '../ui/time.js';
import { RetriggerVehicle } from './retrigger-vehicle.js';
import { Timeline } from './timeline.js';

export function VehiclePage() {
  const vin = usePathPart(1).toUpperCase();
  const topics = [`vehicle:${vin}`];
  const answer = useApi(insightApi.getVehicle, { params: { vin } }, { topics });
  return (
    <Page title={vin}>
      <Answered answer={answer} lines={10}>
        {(vehicle) => <VehicleCards vehicle={vehicle} topics={topics} />}
      </Answered>
    </Page>
  );
}

function VehicleCards({ vehicle, topics }: { vehicle: Vehicle; topics: readonly string[] }) {
  const { vin, operations } = vehicle;
  return (
    <div className="cards">
      <Registration vehicle={vehicle} />
      <Installed vehicle={vehicle} />
      <Card title="Operations" wide>
        <Table
          label="Operations of this vehicle"
          columns={[
            {
              title: 'Operation',
              cell: ({ 'ref-id': refId }) => <Link href={operationAt(refId)}>{refId}</Link>,
            },
            {
              title: 'State',
              cell: ({ state, paused }) => <State state={state} paused={paused} />,
            },
            { title: 'Reason', cell: ({ reason }) => reason },
            { title: 'Attempt', isNumber: true, cell: ({ attempt }) => attempt },
            { title: 'Sends', isNumber: true, isMinor: true, cell: ({ sends }) => sends },
            { title: 'Changed', isMinor: true, cell: ({ updatedAt }) => <Time at={updatedAt} /> },
            { title: '', cell: (item) => <RetriggerVehicle vehicle={item} /> },
          ]}
          items={operations}
          keyOf={({ 'ref-id': refId }) => refId}
          empty={<Empty title="No operations yet." />}
        />
      </Card>
      <Timelines vin={vin} operations={operations} topics={topics} />
    </div>
  );
}

const SHOWN_AT_FIRST = 3;

/** The vehicle's timelines, the newest operation first. */
function Timelines({
  vin,
  operations,
  topics,
}: {
  vin: string;
  operations: readonly VehicleInOperation[];
  topics: readonly string[];
}) {
  const [most, setMost] = useState(SHOWN_AT_FIRST);
  const left = operations.length - most;
  return (
    <>
      {operations.slice(0, most).map(({ 'ref-id': refId }) => (
        <Card key={refId} title={`Timeline of ${refId}`} wide>
          <Timeline refId={refId} vin={vin} topics={topics} />
        </Card>
      ))}
      {left > 0 && (
        <button type="button" onClick={() => setMost(most + 10)}>
          Show {count(Math.min(10, left))} of {count(left)} earlier operations
        </button>
      )}
    </>
  );
}

function Registration({ vehicle: { registration, vin } }: { vehicle: Vehicle }) {
  return (
    <Card title="Registration">
      {registration ? (
        <dl className="facts">
          <dt>VIN</dt>
          <dd>{vin}</dd>
          <dt>Model</dt>
          <dd>{registration.model}</dd>
          <dt>System</dt>
          <dd>{registration.system_id}</dd>
          <dt>Device</dt>
          <dd>
            {registration.device_id} ({registration.ecu_type})
          </dd>
          <dt>Registered</dt>
          <dd>
            <Time at={registration.registeredAt} />
          </dd>
          <dt>Changed</dt>
          <dd>
            <Time at={registration.updatedAt} />
          </dd>
          {registration.floodedAt !== null && (
            <>
              <dt>Exceeded its message budget</dt>
              <dd>
                <Time at={registration.floodedAt} />
              </dd>
            </>
          )}
        </dl>
      ) : (
        <Empty title="Not registered.">
          <p>Its messages become dead letters, and its triggers end as device_not_found.</p>
        </Empty>
      )}
    </Card>
  );
}

function Installed({ vehicle: { installed } }: { vehicle: Vehicle }) {
  return (
    <Card title="Installed">
      <Table
        label="Installed versions"
        columns={[
          { title: 'ECU', cell: ({ ecu }) => ecu },
          { title: 'Version', cell: ({ version }) => version },
          {
            title: 'By operation',
            cell: ({ 'ref-id': refId }) => <Link href={operationAt(refId)}>{refId}</Link>,
          },
          { title: 'At', cell: (item) => <Time at={item.at} /> },
        ]}
        items={installed}
        keyOf={({ ecu }) => ecu}
        empty={
          <Empty title="Installed versions unknown until the vehicle reports them.">
            <p>A vehicle reports them with success.</p>
          </Empty>
        }
      />
    </Card>
  );
}
