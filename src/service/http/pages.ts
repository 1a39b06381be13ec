/** Pages of lists. */
import { type ListCursor } from './cursor.js';

export function page<Row, Item>(
  rows: readonly Row[],
  limit: number,
  cursor: ListCursor,
  position: (row: Row) => string,
  item: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null } {
  const last = rows.length === limit ? rows.at(-1) : undefined;
  return {
    items: rows.map(item),
    nextCursor: last === undefined ? null : cursor.of(position(last)),
  };
}
