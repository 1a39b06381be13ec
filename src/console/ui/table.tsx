import { type ReactNode } from 'react';

export interface Column<T> {
  readonly title: string;
  readonly cell: (item: T) => ReactNode;
  readonly isNumber?: boolean;
  /** Hidden on small screens. */
  readonly isMinor?: boolean;
}

interface TableProps<T> {
  readonly label: string;
  readonly columns: readonly Column<T>[];
  readonly items: readonly T[];
  readonly keyOf: (item: T) => string;
  readonly empty: ReactNode;
}

const classOf = ({ isNumber, isMinor }: Column<never>) =>
  [isNumber ? 'number' : '', isMinor ? 'minor' : ''].join(' ').trim();

export function Table<T>({ label, columns, items, keyOf, empty }: TableProps<T>) {
  if (items.length === 0) return <>{empty}</>;
  return (
    <div className="table-frame" role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} scope="col" className={classOf(column)}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={keyOf(item)}>
              {columns.map((column) => (
                <td key={column.title} className={classOf(column)}>
                  {column.cell(item)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
