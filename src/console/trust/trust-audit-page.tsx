import { Link } from 'wouter';
import {
  type CarotaAuditAction,
  type CarotaAuditEntry,
  directorApi,
} from '../../contract/carota-api/index.js';
import { useFilters, vehicleAt } from '../app/address.js';
import { given } from '../format/given.js';
import { Empty } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { VinFilter } from '../ui/set-aside.js';
import { type Column } from '../ui/table.js';
import { Time } from '../ui/time.js';

const ACTIONS: Readonly<Record<CarotaAuditAction, string>> = {
  'register-ecus': 'ECUs registered',
  'replace-ecu': 'ECU replaced',
  'erase-vehicle': 'Vehicle erased',
  'report-attack': 'Attack reported',
  deliver: 'Delivery accepted',
  'refuse-delivery': 'Delivery refused',
};

const COLUMNS: readonly Column<CarotaAuditEntry>[] = [
  { title: 'When', cell: ({ at }) => <Time at={at} /> },
  { title: 'Who', cell: ({ tokenName }) => tokenName },
  { title: 'What', cell: ({ action }) => ACTIONS[action] },
  { title: 'Vehicle', cell: ({ vin }) => vin && <Link href={vehicleAt(vin)}>{vin}</Link> },
  { title: 'Reason', cell: ({ reason }) => reason },
  {
    title: 'Details',
    isMinor: true,
    cell: ({ detail }) =>
      Object.keys(detail).length > 0 && <code className="wrap">{JSON.stringify(detail)}</code>,
  },
];

/** Who has changed what vehicles are trusted by, and attacks. */
export function TrustAuditPage() {
  const [{ vin }, setFilters] = useFilters('vin');
  return (
    <Page title="Audit log">
      <div className="filters">
        <VinFilter value={vin} onChange={(value) => setFilters({ vin: value })} />
      </div>
      <PagedTable
        label="Audit log"
        route={directorApi.listCarotaAudit}
        request={{ query: given({ vin }) }}
        topics={['audit']}
        columns={COLUMNS}
        keyOf={({ id }) => String(id)}
        empty={
          <Empty title="No entries yet.">
            <p>
              Registered and replaced ECUs, deliveries of suppliers and reported attacks are logged
              here.
            </p>
          </Empty>
        }
      />
    </Page>
  );
}
