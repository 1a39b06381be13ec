import { Link } from 'wouter';
import {
  insightApi,
  registryApi,
  type VehicleInOperation,
} from '../../contract/adapter-api/index.js';
import { operationAt, useFilters, vehicleAt } from '../app/address.js';
import { REGISTRY_COLUMNS } from '../fleet/registry-columns.js';
import { Empty } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { State } from '../ui/state.js';
import { type Column } from '../ui/table.js';
import { TextFilter } from '../ui/text-filter.js';
import { Time } from '../ui/time.js';

const COLUMNS: readonly Column<VehicleInOperation>[] = [
  { title: 'VIN', cell: ({ vin }) => <Link href={vehicleAt(vin)}>{vin}</Link> },
  {
    title: 'Operation',
    cell: ({ 'ref-id': refId }) => <Link href={operationAt(refId)}>{refId}</Link>,
  },
  { title: 'State', cell: ({ state, paused }) => <State state={state} paused={paused} /> },
  { title: 'Reason', isMinor: true, cell: ({ reason }) => reason },
  { title: 'Changed', isMinor: true, cell: ({ updatedAt }) => <Time at={updatedAt} /> },
];

const prefixFault = (typed: string) =>
  /^[A-HJ-NPR-Z0-9]{0,17}$/.test(typed)
    ? undefined
    : 'A VIN has 17 letters and digits, without I, O and Q.';

export function SearchPage() {
  const [{ vin }, setFilters] = useFilters('vin');
  return (
    <Page title="Vehicles">
      <div className="filters">
        <TextFilter
          label="VIN starts with"
          value={vin}
          onChange={(value) => setFilters({ vin: value })}
          faultOf={prefixFault}
          isUpperCase
          placeholder="e.g. WVWZZZ"
        />
      </div>
      {vin === '' ? (
        <Empty title="Enter the beginning of a VIN.">
          <p>All operations are searched, and the registry.</p>
        </Empty>
      ) : (
        <>
          <h2>In operations</h2>
          <PagedTable
            label="Vehicles found"
            route={insightApi.searchVehicles}
            request={{ query: { vin } }}
            topics={['operations']}
            columns={COLUMNS}
            keyOf={(item) => `${item.vin} ${item['ref-id']}`}
            empty={
              <Empty title={`No vehicle in an operation has a VIN that starts with ${vin}.`} />
            }
          />
          <h2>In the registry</h2>
          <PagedTable
            label="Registered vehicles found"
            route={registryApi.listRegistrations}
            request={{ query: { vin } }}
            columns={REGISTRY_COLUMNS}
            keyOf={(item) => item.vin}
            empty={
              <Empty title={`No registered vehicle has a VIN that starts with ${vin}.`}>
                <p>Messages from unregistered vehicles are rejected.</p>
              </Empty>
            }
          />
        </>
      )}
    </Page>
  );
}
