import { useState } from 'react';
import { Link } from 'wouter';
import { type VehicleInOperation } from '../api/adapter.js';
import { operationAt, useFilters, vehicleAt } from '../app/address.js';
import { TextField } from '../ui/fields.js';
import { Empty } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { State } from '../ui/state.js';
import { type Column } from '../ui/table.js';
import { Time } from '../ui/time.js';
import { useSettled } from './use-settled.js';

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

export function SearchPage() {
  const [{ vin }, setFilters] = useFilters('vin');
  const [typed, setTyped] = useState(vin);
  const change = (value: string) => setTyped(value.toUpperCase());
  const isWrong = /[^A-HJ-NPR-Z0-9]/.test(typed) || typed.length > 17;
  useSettled(typed, (settled) => {
    if (settled !== vin && !isWrong) setFilters({ vin: settled });
  });
  return (
    <Page title="Vehicles">
      <div className="filters">
        <TextField
          label="VIN begins with"
          type="search"
          value={typed}
          onChange={change}
          error={
            isWrong ? 'A VIN has letters and digits, not I, O and Q, and 17 of them.' : undefined
          }
          placeholder="e.g. WVWZZZ"
        />
      </div>
      {vin === '' ? (
        <Empty title="Type how a VIN begins.">
          <p>All vehicles of all operations are searched.</p>
        </Empty>
      ) : (
        <PagedTable<VehicleInOperation>
          label="Vehicles found"
          path="/v1.0/ota/vehicles"
          query={{ vin }}
          topics={['operations']}
          columns={COLUMNS}
          keyOf={(item) => `${item.vin} ${item['ref-id']}`}
          empty={
            <Empty title={`No vehicle of an operation begins with ${vin}.`}>
              <p>
                It may be registered and in no operation yet:{' '}
                <Link href={vehicleAt(vin)}>look it up as a whole VIN</Link>.
              </p>
            </Empty>
          }
        />
      )}
    </Page>
  );
}
