/** A list in a form: a group of fields per entry, entries are added and removed. */
import { type ReactNode } from 'react';

interface RowsProps<Row> {
  /** `wave`, `window`, `ECU` */
  readonly noun: string;
  readonly rows: readonly Row[];
  readonly onChange: (rows: readonly Row[]) => void;
  /** An added entry. */
  readonly fresh: Row;
  readonly addLabel: string;
  /** Minimum number of entries; default 0. */
  readonly min?: number;
  /** Of each group. */
  readonly className?: string;
  readonly children: (
    row: Row,
    change: (changes: Partial<Row>) => void,
    place: number,
  ) => ReactNode;
}

export function Rows<Row extends object>(props: RowsProps<Row>) {
  const { noun, rows, onChange, fresh, addLabel, min = 0, className, children } = props;
  const title = noun.charAt(0).toUpperCase() + noun.slice(1);
  const change = (place: number) => (changes: Partial<Row>) =>
    onChange(rows.map((row, i) => (i === place ? { ...row, ...changes } : row)));
  return (
    <>
      {rows.map((row, place) => (
        <fieldset key={place} className={className}>
          <legend>
            {title} {place + 1}
          </legend>
          {children(row, change(place), place)}
          {rows.length > min && (
            <button type="button" onClick={() => onChange(rows.filter((_, i) => i !== place))}>
              Remove {noun} {place + 1}
            </button>
          )}
        </fieldset>
      ))}
      <button type="button" onClick={() => onChange([...rows, fresh])}>
        {addLabel}
      </button>
    </>
  );
}
