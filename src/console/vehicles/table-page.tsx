import { Link } from 'wouter';
import { insightApi, operationApi } from '../../contract/adapter-api/index.js';
import { queryText } from '../../contract/client/request-text.js';
import { pathOf } from '../../contract/http/route.js';
import { useApi } from '../api/use-query.js';
import { operationAt, useFilters, usePathPart } from '../app/address.js';
import { count } from '../format/numbers.js';
import { ALL_STATES } from '../states/groups.js';
import { bind } from '../ui/bind.js';
import { Failure } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { StateFilter } from '../ui/state-filter.js';
import { TextFilter } from '../ui/text-filter.js';
import { VehicleTable } from './vehicle-table.js';

/** The vehicles of an operation, in any number: paged and filtered by the server. */
export function TablePage() {
  const refId = usePathPart(1);
  const topics = [`operation:${refId}`];
  const params = { 'ref-id': refId };
  const [filter, setFilters] = useFilters('state', 'reason', 'text');
  const bound = bind(filter, setFilters);
  const operation = useApi(operationApi.getOperation, { params }, { topics });
  const isFiltered = Object.values(filter).some((value) => value !== '');
  const matching = useApi(
    operationApi.countOperationVehicles,
    { params, query: filter },
    { topics, enabled: isFiltered, keep: true },
  );
  const total = isFiltered ? matching.data?.vehicles : operation.data?.vehicles;
  const error = operation.error ?? (isFiltered ? matching.error : null);
  return (
    <Page
      title={`Vehicles of ${refId}`}
      beside={<Link href={operationAt(refId)}>The operation</Link>}
      actions={
        <a
          className="button"
          href={pathOf(insightApi.exportVehicles, params) + queryText({ format: 'csv', ...filter })}
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
          {...bound('state')}
        />
        <TextFilter label="Reason is" {...bound('reason')} />
        <TextFilter label="VIN or reason contains" {...bound('text')} />
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
          refId={refId}
          filter={filter}
          total={total ?? 0}
          isCounted={total !== undefined}
          topics={topics}
        />
      )}
    </Page>
  );
}
