import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { type Imported, type RegisteredVehicle } from '../api/adapter.js';
import { useMay } from '../app/session.js';
import { count, plural } from '../format/numbers.js';
import { DropZone } from '../ui/drop-zone.js';
import { Empty } from '../ui/notes.js';
import { Card, Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { Faults } from './faults.js';
import { REGISTRY_COLUMNS } from './registry-columns.js';
import { lineFormat } from './line-format.js';

const PATH = '/v1.0/vehicles';

export function RegistryPage() {
  const mayImport = useMay('administer');
  return (
    <Page title="Registry">
      {mayImport && (
        <Card title="Import">
          <Import />
        </Card>
      )}
      <PagedTable<RegisteredVehicle>
        label="Registered vehicles"
        path={PATH}
        columns={REGISTRY_COLUMNS}
        keyOf={({ vin }) => vin}
        limit={100}
        empty={
          <Empty title="No vehicle is registered.">
            <p>
              A vehicle is heard only if it is registered. Import a CSV with the columns{' '}
              <code>vin,system_id,device_id,ecu_type,model</code>.
            </p>
          </Empty>
        }
      />
    </Page>
  );
}

function Import() {
  const queries = useQueryClient();
  const [result, setResult] = useState<{ name: string; answer: Imported }>();
  return (
    <>
      <DropZone<Imported>
        label="Drop a CSV or NDJSON of vehicles here, or choose one"
        help="Columns vin, system_id, device_id, ecu_type, model, credential. A line with a fault is left out and named; all others are taken."
        accept=".csv,.ndjson,.jsonl,text/csv,application/x-ndjson"
        target={(file) => ({ path: `${PATH}/import`, contentType: lineFormat(file) })}
        onDone={(answer, file) => {
          setResult({ name: file.name, answer });
          void queries.invalidateQueries({ queryKey: [PATH] });
        }}
      />
      {result && <Result {...result} />}
    </>
  );
}

function Result({ name, answer }: { name: string; answer: Imported }) {
  const { created, updated, rejectedCount, rejected } = answer;
  return (
    <div role="status">
      <p>
        <b>{name}</b>: {count(created)} new, {count(updated)} changed,{' '}
        {plural(rejectedCount, 'line')} left out.
      </p>
      <Faults
        name={name}
        total={rejectedCount}
        faults={rejected.map(({ line, errorCode, errorMessage }) => ({
          line,
          message: `${errorMessage} (${errorCode})`,
        }))}
      />
    </div>
  );
}
