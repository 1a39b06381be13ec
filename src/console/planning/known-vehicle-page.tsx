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
import { useIsLimited } from '../app/session.js';
import { ATTACK_COLUMNS } from '../trust/attack-columns.js';
import { EcusCard } from '../trust/ecus-card.js';
import { ManifestCard } from '../trust/manifest-card.js';
import { OrderCard } from '../trust/order-card.js';
import { Answered, Empty, together } from '../ui/notes.js';
import { Card, Page } from '../ui/page.js';
import { Table } from '../ui/table.js';
import { Time } from '../ui/time.js';
import { VehicleEvents } from './vehicle-events.js';
import { VehicleTimeline } from './vehicle-timeline.js';

/** A vehicle of the CarOTA Server: its ECUs with reports and orders, and its events in all schedules. */
export function KnownVehiclePage() {
  const vin = usePathPart(1).toUpperCase();
  return useIsLimited() ? <LimitedPage vin={vin} /> : <CompletePage vin={vin} />;
}

/** Its trust and orders may refer to other models’ schedules, so they are hidden from limited users. */
function LimitedPage({ vin }: { vin: string }) {
  const topics = [`vehicle:${vin}`, 'schedules'];
  const vehicle = useApi(vehicleApi.getVehicle, { params: { vin } }, { topics });
  return (
    <Page title={vin}>
      <Answered answer={vehicle} lines={12}>
        {(data) => <KnownVehicle vehicle={data} topics={topics} />}
      </Answered>
    </Page>
  );
}

function CompletePage({ vin }: { vin: string }) {
  const request = { params: { vin } };
  const topics = [`vehicle:${vin}`, 'schedules'];
  const vehicle = useApi(vehicleApi.getVehicle, request, { topics });
  const ecus = useApi(ecuApi.listEcus, request, { topics: [...topics, 'repositories'] });
  const attacks = useApi(directorApi.listAttackReports, { query: { vin } }, { topics });
  return (
    <Page title={vin}>
      <Answered answer={together(vehicle, together(ecus, attacks))} lines={12}>
        {([data, [withEcus, { items }]]) => (
          <KnownVehicle vehicle={data} trust={{ ecus: withEcus, attacks: items }} topics={topics} />
        )}
      </Answered>
    </Page>
  );
}

interface KnownVehicleProps {
  readonly vehicle: VehicleWithEvents;
  /** Absent: the user may not see it. */
  readonly trust?: { readonly ecus: VehicleEcus; readonly attacks: readonly AttackReport[] };
  readonly topics: readonly string[];
}

function KnownVehicle({ vehicle, trust, topics }: KnownVehicleProps) {
  const { vin, model, tags, versions, updatedAt, events } = vehicle;
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
      {trust ? (
        <>
          <EcusCard vehicle={trust.ecus} />
          <OrderCard vehicle={trust.ecus} />
          <ManifestCard vin={vin} vehicle={trust.ecus} />
          <Card title="Attacks" note="reported by its ECUs, newest kind first" wide>
            <Table
              label="Attack reports"
              columns={ATTACK_COLUMNS}
              items={trust.attacks}
              keyOf={({ id }) => String(id)}
              empty={<Empty title="No attack reports." />}
            />
          </Card>
          <VehicleTimeline vin={vin} topics={topics} />
        </>
      ) : (
        <VehicleEvents events={events} />
      )}
    </div>
  );
}
