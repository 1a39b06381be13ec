import { useState } from 'react';
import { useAskAgain } from '../api/use-query.js';
import { count, plural } from '../format/numbers.js';
import { DropZone } from '../ui/drop-zone.js';
import { Card } from '../ui/page.js';
import { type Fault, Faults } from './faults.js';
import { lineFormat } from './line-format.js';

interface Rejected {
  readonly rejectedCount: number;
  readonly rejected: readonly { readonly line: number }[];
}

interface ImportProps<T extends Rejected> {
  /** The registry that it goes to. */
  readonly path: string;
  /** Of the list that it changes. */
  readonly topic: string;
  readonly columns: string;
  /** Lines that were taken, by what became of them. */
  readonly taken: (answer: T) => Readonly<Record<string, number>>;
  readonly faultOf: (rejected: T['rejected'][number]) => Fault;
}

/** A file of vehicles, taken as it streams; its faulty lines are named and left out. */
export function ImportVehicles<T extends Rejected>(props: ImportProps<T>) {
  const { path, topic, columns, taken, faultOf } = props;
  const askAgain = useAskAgain();
  const [result, setResult] = useState<{ name: string; answer: T }>();
  const show = (answer: T, { name }: File) => {
    setResult({ name, answer });
    void askAgain(topic);
  };
  return (
    <Card title="Import">
      <DropZone<T>
        label="Drop a CSV or NDJSON of vehicles here, or choose one"
        help={`Columns ${columns}. A line with a fault is left out and named; all others are taken.`}
        accept=".csv,.ndjson,.jsonl,text/csv,application/x-ndjson"
        target={(file) => ({ path: `${path}/import`, contentType: lineFormat(file) })}
        onDone={show}
      />
      {result && (
        <div role="status">
          <p>
            <b>{result.name}</b>:{' '}
            {Object.entries(taken(result.answer))
              .map(([what, n]) => `${count(n)} ${what}`)
              .join(', ')}
            , {plural(result.answer.rejectedCount, 'line')} left out.
          </p>
          <Faults
            name={result.name}
            total={result.answer.rejectedCount}
            faults={result.answer.rejected.map(faultOf)}
          />
        </div>
      )}
    </Card>
  );
}
