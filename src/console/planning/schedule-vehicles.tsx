import { Link } from 'wouter';
import {
  type ScheduleDetails,
  type ScheduleVehicle,
  scheduleVehicleApi,
} from '../../contract/carota-api/index.js';
import { useFilters, vehicleAt } from '../app/address.js';
import { given } from '../format/given.js';
import { numberOf } from '../format/number-text.js';
import { bind } from '../ui/bind.js';
import { SelectField } from '../ui/fields.js';
import { Empty } from '../ui/notes.js';
import { Card } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { State } from '../ui/state.js';
import { StateFilter } from '../ui/state-filter.js';
import { type Column } from '../ui/table.js';
import { Outlook } from './outlook.js';

const COLUMNS: readonly Column<ScheduleVehicle>[] = [
  { title: 'VIN', cell: ({ vin }) => <Link href={vehicleAt(vin)}>{vin}</Link> },
  { title: 'Wave', isNumber: true, cell: ({ wave }) => (wave === 0 ? '–' : wave) },
  { title: 'State', cell: ({ state }) => <State state={state} /> },
  { title: 'Reason', cell: ({ reason }) => reason },
  { title: 'Result', cell: (vehicle) => <Outlook vehicle={vehicle} /> },
];

export function ScheduleVehicles({
  schedule: { 'ref-id': refId, states, waves },
  topics,
}: {
  schedule: ScheduleDetails;
  topics: readonly string[];
}) {
  const [filters, setFilters] = useFilters('state', 'wave');
  const bound = bind(filters, setFilters);
  return (
    <Card title="Vehicles" wide>
      <div className="filters">
        <StateFilter states={states} {...bound('state')} />
        <SelectField
          label="Wave"
          {...bound('wave')}
          options={[
            { value: '', label: 'any wave' },
            ...waves.map(({ number }) => ({ value: String(number), label: String(number) })),
          ]}
        />
      </div>
      <PagedTable
        label="Vehicles of this schedule"
        route={scheduleVehicleApi.listScheduleVehicles}
        request={{
          params: { 'ref-id': refId },
          query: given({ state: filters.state, wave: numberOf(filters.wave) }),
        }}
        topics={topics}
        columns={COLUMNS}
        limit={20}
        keyOf={({ vin }) => vin}
        empty={
          <Empty title="No vehicles here.">
            <p>Vehicles of a filter are chosen when the schedule starts.</p>
          </Empty>
        }
      />
    </Card>
  );
}
