/** A list read page by page, with cursors. */
import { useState } from 'react';
import { type ItemOf, type RequestOf } from '../../contract/client.js';
import { type Page, type RouteShape } from '../../contract/http/index.js';
import { useApi } from '../api/use-query.js';
import { type Column, Table } from './table.js';
import { Answered } from './notes.js';

interface PagedProps<R extends RouteShape> {
  readonly label: string;
  /** A list route. */
  readonly route: R;
  /** Its parameters and filter. */
  readonly request: RequestOf<R>;
  readonly topics?: readonly string[];
  readonly columns: readonly Column<ItemOf<R>>[];
  readonly keyOf: (item: ItemOf<R>) => string;
  readonly empty: React.ReactNode;
  readonly limit?: number;
}

export function PagedTable<R extends RouteShape>(props: PagedProps<R>) {
  // A changed filter starts at its first page.
  return <Pages key={JSON.stringify([props.route.path, props.request])} {...props} />;
}

function Pages<R extends RouteShape>({
  label,
  route,
  request,
  topics = [],
  columns,
  keyOf,
  empty,
  limit = 50,
}: PagedProps<R>) {
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const query = { ...(request as { query?: object }).query, limit, cursor: cursors.at(-1) };
  const { data, error, refetch } = useApi(route, { ...request, query }, { topics, keep: true });
  const answer = { data: data as unknown as Page<ItemOf<R>> | undefined, error, refetch };
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
                Previous
              </button>
              <span>Page {cursors.length + 1}</span>
              <button
                type="button"
                disabled={nextCursor === null}
                onClick={() => nextCursor !== null && setCursors([...cursors, nextCursor])}
              >
                Next
              </button>
            </nav>
          )}
        </>
      )}
    </Answered>
  );
}
