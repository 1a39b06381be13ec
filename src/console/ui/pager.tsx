/** A list that is read page after page, by cursors. */
import { useState } from 'react';
import { type Query } from '../api/client.js';
import { type Page } from '../api/session.js';
import { useApi } from '../api/use-query.js';
import { type Column, Table } from './table.js';
import { Answered } from './notes.js';

interface PagedProps<T> {
  readonly label: string;
  readonly path: string;
  readonly query?: Query;
  readonly topics?: readonly string[];
  readonly columns: readonly Column<T>[];
  readonly keyOf: (item: T) => string;
  readonly empty: React.ReactNode;
  readonly limit?: number;
}

export function PagedTable<T>(props: PagedProps<T>) {
  // Another filter begins at its first page.
  return <Pages key={JSON.stringify([props.path, props.query])} {...props} />;
}

function Pages<T>({
  label,
  path,
  query = {},
  topics = [],
  columns,
  keyOf,
  empty,
  limit = 50,
}: PagedProps<T>) {
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const answer = useApi<Page<T>>(
    path,
    { ...query, limit, cursor: cursors.at(-1) },
    { topics, keep: true },
  );
  return (
    <Answered answer={answer} lines={8}>
      {({ items, nextCursor }) => (
        <>
          <Table label={label} columns={columns} items={items} keyOf={keyOf} empty={empty} />
          {(cursors.length > 0 || nextCursor !== null) && (
            <nav className="pager" aria-label={`Pages of ${label}`}>
              <button
                type="button"
                disabled={cursors.length === 0}
                onClick={() => setCursors(cursors.slice(0, -1))}
              >
                Newer
              </button>
              <span>Page {cursors.length + 1}</span>
              <button
                type="button"
                disabled={nextCursor === null}
                onClick={() => nextCursor !== null && setCursors([...cursors, nextCursor])}
              >
                Older
              </button>
            </nav>
          )}
        </>
      )}
    </Answered>
  );
}
