import { useState } from 'react';
import { type ImportResult as AdapterResult } from '../../contract/adapter-api/index.js';
import { type ImportResult as CarotaResult } from '../../contract/carota-api/index.js';
import { type AnswerOf } from '../../contract/http/route.js';
import { type UploadRequest, type UploadRoute } from '../api/upload.js';
import { useRefetch } from '../api/use-query.js';
import { count, plural } from '../format/numbers.js';
import { DropZone } from '../ui/drop-zone.js';
import { Card } from '../ui/page.js';
import { Faults } from './faults.js';
import { lineFormat } from './line-format.js';

interface ImportProps<R extends UploadRoute> {
  /** The import route of the registry. */
  readonly route: R;
  /** Topic of the list that it changes. */
  readonly topic: string;
  readonly columns: string;
  /** The imported lines, counted by outcome. */
  readonly imported: (answer: AnswerOf<R>) => Readonly<Record<string, number>>;
}

/** Imports a file of vehicles; invalid lines are rejected and listed. */
export function ImportVehicles<R extends UploadRoute>(props: ImportProps<R>) {
  const { route, topic, columns, imported } = props;
  const refetch = useRefetch();
  const [result, setResult] = useState<{
    name: string;
    stored: Readonly<Record<string, number>>;
    answer: Pick<AdapterResult | CarotaResult, 'rejected' | 'rejectedCount'>;
  }>();
  const show = (answer: AnswerOf<R>, { name }: File) => {
    setResult({ name, stored: imported(answer), answer: answer as AdapterResult | CarotaResult });
    void refetch(topic);
  };
  return (
    <Card title="Import">
      <DropZone
        label="Drop a CSV or NDJSON of vehicles here, or choose one"
        help={`Columns ${columns}. Invalid lines are rejected and listed; all others are imported.`}
        accept=".csv,.ndjson,.jsonl,text/csv,application/x-ndjson"
        route={route}
        request={() => ({}) as UploadRequest<R>}
        contentType={lineFormat}
        onDone={show}
      />
      {result && (
        <div role="status">
          <p>
            <b>{result.name}</b>:{' '}
            {Object.entries(result.stored)
              .map(([what, n]) => `${count(n)} ${what}`)
              .join(', ')}
            , {plural(result.answer.rejectedCount, 'line')} rejected.
          </p>
          <Faults
            name={result.name}
            total={result.answer.rejectedCount}
            faults={result.answer.rejected}
          />
        </div>
      )}
    </Card>
  );
}
