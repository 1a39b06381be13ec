import { Link } from 'wouter';
import { type Vehicle, vehicleApi } from '../../contract/carota-api/index.js';
import { useFilters, vehicleAt } from '../app/address.js';
import { useIsLimited, useMay } from '../app/session.js';
import { ImportVehicles } from '../fleet/import-vehicles.js';
import { bind } from '../ui/bind.js';
import { Empty } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { type Column } from '../ui/table.js';
import { TextFilter } from '../ui/text-filter.js';
import { Time } from '../ui/time.js';

const COLUMNS: readonly Column<Vehicle>[] = [
  { title: 'VIN', cell: ({ vin }) => <Link href={vehicleAt(vin)}>{vin}</Link> },
  { title: 'Model', cell: ({ model }) => model },
  { title: 'Tags', cell: ({ tags }) => tags.join(', ') },
  {
    title: 'Installed',
    cell: ({ versions }) =>
      Object.entries(versions)
        .map(([ecu, version]) => `${ecu} ${version}`)
        .join(', '),
  },
  { title: 'Changed', isMinor: true, cell: ({ updatedAt }) => <Time at={updatedAt} /> },
];

/** The vehicles that schedules select from. */
export function FleetPage() {
  const isLimited = useIsLimited();
  const mayImport = useMay('plan') && !isLimited;
  const [filters, setFilters] = useFilters('model', 'tag');
  const bound = bind(filters, setFilters);
  return (
    <Page title="Vehicles">
      {mayImport && (
        <ImportVehicles
          route={vehicleApi.importVehicles}
          topic="fleet"
          columns="vin, model, tags (separated by ;) and version:<ECU> for each ECU"
          imported={({ imported }) => ({ imported })}
        />
      )}
      <div className="filters">
        <TextFilter label="Model is" {...bound('model')} />
        <TextFilter label="Has the tag" {...bound('tag')} />
      </div>
      <PagedTable
        label="Vehicles"
        route={vehicleApi.listVehicles}
        request={{ query: filters }}
        topics={['fleet']}
        columns={COLUMNS}
        keyOf={({ vin }) => vin}
        limit={100}
        empty={
          <Empty title="No vehicles here.">
            <p>Import a CSV of them, or change the filter.</p>
          </Empty>
        }
      />
    </Page>
  );
}
