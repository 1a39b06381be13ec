import { Link } from 'wouter';
import { type Operation } from '../api/adapter.js';
import { at, withQuery } from '../api/client.js';
import { useApi } from '../api/use-query.js';
import { operationAt, useFilters, usePathPart } from '../app/address.js';
import { count } from '../format/numbers.js';
import { ALL_STATES } from '../states/groups.js';
import { Failure } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { StateFilter } from '../ui/state-filter.js';
import { TextFilter } from '../ui/text-filter.js';
import { VehicleTable } from './vehicle-table.js';

/** The vehicles of an operation, however many: paged by the server, filtered, scrolled. */
export function TablePage() {
  const refId = usePathPart(1);
  const topics = [`operation:${refId}`];
  const path = at`/v1.0/ota/operations/${refId}`;
  const [{ state, reason, text }, setFilters] = useFilters('state', 'reason', 'text');
  const operation = useApi<Operation>(path, {}, { topics });
  const filter = { state, reason, text };
  const isFiltered = state !== '' || reason !== '' || text !== '';
  const matching = useApi<{ vehicles: number }>(`${path}/vehicle-count`, filter, {
    topics,
    enabled: isFiltered,
    keep: true,
  });
  const total = isFiltered ? matching.data?.vehicles : operation.data?.vehicles;
  const error = operation.error ?? (isFiltered ? matching.error : null);
  return (
    <Page
      title={`Vehicles of ${refId}`}
      beside={<Link href={operationAt(refId)}>The operation</Link>}
      actions={
        <a
          className="button"
          href={withQuery(`${path}/export`, { format: 'csv', ...filter })}
          download
        >
          Download as CSV
        </a>
      }
    >
      <div className="filters">
        <StateFilter
          states={operation.data?.states ?? {}}
          others={ALL_STATES}
          value={state}
          onChange={(value) => setFilters({ state: value })}
        />
        <TextFilter
          label="Reason is"
          value={reason}
          onChange={(value) => setFilters({ reason: value })}
        />
        <TextFilter
          label="VIN or reason has"
          value={text}
          onChange={(value) => setFilters({ text: value })}
        />
        <p className="found" role="status">
          {total === undefined
            ? 'Counting …'
            : isFiltered
              ? `${count(total)} of ${count(operation.data?.vehicles ?? total)} vehicles`
              : `${count(total)} vehicles`}
        </p>
      </div>
      {error && total === undefined ? (
        <Failure error={error} />
      ) : (
        <VehicleTable
          key={JSON.stringify(filter)}
          path={`${path}/vehicles`}
          filter={filter}
          total={total ?? 0}
          isCounted={total !== undefined}
          topics={topics}
        />
      )}
    </Page>
  );
}
