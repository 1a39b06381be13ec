import {
  type AttackReport,
  directorApi,
  ecuApi,
  vehicleApi,
  type VehicleEcus,
  type VehicleWithEvents,
} from '../../contract/carota-api/index.js';
import { useApi } from '../api/use-query.js';
import { usePathPart } from '../app/address.js';
import { ATTACK_COLUMNS } from '../trust/attack-columns.js';
import { EcusCard } from '../trust/ecus-card.js';
import { ManifestCard } from '../trust/manifest-card.js';
import { OrderCard } from '../trust/order-card.js';
import { Answered, Empty, together } from '../ui/notes.js';
import { Card, Page } from '../ui/page.js';
import { Table } from '../ui/table.js';
import { Time } from '../ui/time.js';
import { VehicleTimeline } from './vehicle-timeline.js';

/** A vehicle of the CarOTA Server: its ECUs, what they report and are to install, and its events in all schedules. */
export function KnownVehiclePage() {
  const vin = usePathPart(1).toUpperCase();
  const request = { params: { vin } };
  const topics = [`vehicle:${vin}`, 'schedules'];
  const vehicle = useApi(vehicleApi.getVehicle, request, { topics });
  const ecus = useApi(ecuApi.listEcus, request, { topics: [...topics, 'repositories'] });
  const attacks = useApi(directorApi.listAttackReports, { query: { vin } }, { topics });
  return (
    <Page title={vin}>
      <Answered answer={together(vehicle, together(ecus, attacks))} lines={12}>
        {([known, [withEcus, { items }]]) => (
          <KnownVehicle vehicle={known} ecus={withEcus} attacks={items} topics={topics} />
        )}
      </Answered>
    </Page>
  );
}

interface KnownVehicleProps {
  readonly vehicle: VehicleWithEvents;
  readonly ecus: VehicleEcus;
  readonly attacks: readonly AttackReport[];
  readonly topics: readonly string[];
}

function KnownVehicle({ vehicle, ecus, attacks, topics }: KnownVehicleProps) {
  const { vin, model, tags, versions, updatedAt } = vehicle;
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
      <EcusCard vehicle={ecus} />
      <OrderCard vehicle={ecus} />
      <ManifestCard vin={vin} vehicle={ecus} />
      <Card title="Attacks" note="reported by its ECUs, newest kind first" wide>
        <Table
          label="Attack reports"
          columns={ATTACK_COLUMNS}
          items={attacks}
          keyOf={({ id }) => String(id)}
          empty={<Empty title="No attack reports." />}
        />
      </Card>
      <VehicleTimeline vin={vin} topics={topics} />
    </div>
  );
}
