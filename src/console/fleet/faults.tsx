import { type RejectedLine } from '../../contract/common-api/index.js';
import { rejectionGroups } from '../../contract/common-api/rejected-lines.js';
import { count, plural } from '../format/numbers.js';
import { Table } from '../ui/table.js';

interface FaultsProps {
  readonly name: string;
  readonly total: number;
  readonly faults: readonly RejectedLine[];
}

/** Lines of a file that could not be imported: those with the same reason are one row, the most frequent first. */
export function Faults({ name, total, faults }: FaultsProps) {
  if (total === 0) return null;
  return (
    <>
      {faults.length < total && (
        <p className="muted">
          Reasons of the first {count(faults.length)} of {plural(total, 'rejected line')}.
        </p>
      )}
      <div className="short">
        <Table
          label={`Rejected lines of ${name}`}
          columns={[
            { title: 'Number', isNumber: true, cell: ({ lines }) => count(lines) },
            { title: 'Lines', cell: ({ ranges }) => ranges },
            {
              title: 'Reason',
              cell: ({ errorMessage, errorCode }) => `${errorMessage} (${errorCode})`,
            },
          ]}
          items={rejectionGroups(faults)}
          keyOf={({ errorCode, errorMessage }) => `${errorCode} ${errorMessage}`}
          empty={null}
        />
      </div>
      <button type="button" onClick={() => save(`${name}.rejected.csv`, asCsv(faults))}>
        Save the rejected lines as CSV
      </button>
    </>
  );
}

const asCsv = (faults: readonly RejectedLine[]): string =>
  [
    'line,errorCode,reason',
    ...faults.map(
      ({ line, errorCode, errorMessage }) =>
        `${line},${errorCode},"${errorMessage.replaceAll('"', '""')}"`,
    ),
  ].join('\r\n');

function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
