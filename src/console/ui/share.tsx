import { count, percent } from '../format/numbers.js';

/** A number of vehicles, and below it its share of all. */
export function Share({ value, of }: { value: number; of: number }) {
  return (
    <>
      {count(value)}
      <small>{percent(value, of)}</small>
    </>
  );
}
