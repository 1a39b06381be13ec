import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { type CarotaImported, type KnownVehicle } from '../api/carota.js';
import { useFilters, vehicleAt } from '../app/address.js';
import { useMay } from '../app/session.js';
import { Faults } from '../fleet/faults.js';
import { lineFormat } from '../fleet/line-format.js';
import { count, plural } from '../format/numbers.js';
import { DropZone } from '../ui/drop-zone.js';
import { TextField } from '../ui/fields.js';
import { Empty } from '../ui/notes.js';
import { Card, Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { type Column } from '../ui/table.js';
import { Time } from '../ui/time.js';
import { useSettled } from '../vehicles/use-settled.js';

const PATH = '/v1.0/vehicles';

const COLUMNS: readonly Column<KnownVehicle>[] = [
  { title: 'VIN', cell: ({ vin }) => <Link href={vehicleAt(vin)}>{vin}</Link> },
  { title: 'Model', cell: ({ model }) => model },
  { title: 'Tags', cell: ({ tags }) => tags.join(', ') },
  {
    title: 'Runs',
    cell: ({ versions }) =>
      Object.entries(versions)
        .map(([ecu, version]) => `${ecu} ${version}`)
        .join(', '),
  },
  { title: 'Changed', isMinor: true, cell: ({ updatedAt }) => <Time at={updatedAt} /> },
];

/** The vehicles that schedules choose from. */
export function FleetPage() {
  const mayPlan = useMay('plan');
  const [{ model, tag }, setFilters] = useFilters('model', 'tag');
  const [typed, setTyped] = useState({ model, tag });
  useSettled(JSON.stringify(typed), () => {
    if (typed.model !== model || typed.tag !== tag) setFilters(typed);
  });
  return (
    <Page title="Vehicles">
      {mayPlan && (
        <Card title="Import">
          <Import />
        </Card>
      )}
      <div className="filters">
        <TextField
          label="Model is"
          type="search"
          value={typed.model}
          onChange={(value) => setTyped({ ...typed, model: value })}
        />
        <TextField
          label="Has the tag"
          type="search"
          value={typed.tag}
          onChange={(value) => setTyped({ ...typed, tag: value })}
        />
      </div>
      <PagedTable<KnownVehicle>
        label="Vehicles"
        path={PATH}
        query={{ model, tag }}
        columns={COLUMNS}
        keyOf={({ vin }) => vin}
        limit={100}
        empty={
          <Empty title="No vehicle is here.">
            <p>Import a CSV of them, or change the filter.</p>
          </Empty>
        }
      />
    </Page>
  );
}

function Import() {
  const queries = useQueryClient();
  const [result, setResult] = useState<{ name: string; answer: CarotaImported }>();
  return (
    <>
      <DropZone<CarotaImported>
        label="Drop a CSV or NDJSON of vehicles here, or choose one"
        help="Columns vin, model, tags (separated by ;) and version:<ECU> for each ECU. A line with a fault is left out and named."
        accept=".csv,.ndjson,.jsonl,text/csv,application/x-ndjson"
        target={(file) => ({ path: `${PATH}/import`, contentType: lineFormat(file) })}
        onDone={(answer, file) => {
          setResult({ name: file.name, answer });
          void queries.invalidateQueries({ queryKey: [PATH] });
        }}
      />
      {result && (
        <div role="status">
          <p>
            <b>{result.name}</b>: {count(result.answer.imported)} imported,{' '}
            {plural(result.answer.rejectedCount, 'line')} left out.
          </p>
          <Faults
            name={result.name}
            total={result.answer.rejectedCount}
            faults={result.answer.rejected}
          />
        </div>
      )}
    </>
  );
}
