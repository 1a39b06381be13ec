import { type ImportResult } from '../../contract/adapter-api/index.js';
import { count } from '../format/numbers.js';
import { Table } from '../ui/table.js';

type Fault = ImportResult['rejected'][number];

interface FaultsProps {
  readonly name: string;
  readonly total: number;
  readonly faults: readonly Fault[];
}

/** Lines of a file that could not be imported, and why. */
export function Faults({ name, total, faults }: FaultsProps) {
  if (total === 0) return null;
  return (
    <>
      {faults.length < total && (
        <p className="muted">
          The first {count(faults.length)} of {count(total)}.
        </p>
      )}
      <div className="short">
        <Table
          label={`Faulty lines of ${name}`}
          columns={[
            { title: 'Line', isNumber: true, cell: ({ line }) => count(line) },
            {
              title: 'What is wrong',
              cell: ({ errorMessage, errorCode }) => `${errorMessage} (${errorCode})`,
            },
          ]}
          items={faults}
          keyOf={({ line, errorMessage }) => `${line} ${errorMessage}`}
          empty={null}
        />
      </div>
      <button type="button" onClick={() => save(`${name}.faults.csv`, asCsv(faults))}>
        Save the faulty lines as CSV
      </button>
    </>
  );
}

const asCsv = (faults: readonly Fault[]): string =>
  [
    'line,fault',
    ...faults.map(({ line, errorMessage }) => `${line},"${errorMessage.replaceAll('"', '""')}"`),
  ].join('\r\n');

function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
