import { Link } from 'wouter';
import { type Operation, operationApi } from '../../contract/adapter-api/index.js';
import { operationAt } from '../app/address.js';
import { count, rate } from '../format/numbers.js';
import { StateBar } from '../ui/bar.js';
import { Empty } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { Share } from '../ui/share.js';
import { Status } from '../ui/state.js';
import { type Column } from '../ui/table.js';
import { Time } from '../ui/time.js';

const COLUMNS: readonly Column<Operation>[] = [
  {
    title: 'Operation',
    cell: ({ 'ref-id': refId, 'script-ref-id': script }) => (
      <>
        <Link href={operationAt(refId)}>{refId}</Link>
        <small>{script}</small>
      </>
    ),
  },
  { title: 'Status', cell: (operation) => <Status status={operation.status} /> },
  {
    title: 'Progress',
    cell: ({ states, vehicles }) => <StateBar states={states} vehicles={vehicles} />,
  },
  { title: 'Vehicles', isNumber: true, cell: ({ vehicles }) => count(vehicles) },
  {
    title: 'Finished',
    isNumber: true,
    cell: ({ finished, vehicles }) => <Share value={finished} of={vehicles} />,
  },
  {
    title: 'Succeeded',
    isNumber: true,
    isMinor: true,
    cell: ({ succeeded }) => count(succeeded),
  },
  {
    title: 'Failed',
    isNumber: true,
    cell: ({ failed, finished }) => <Share value={failed} of={finished} />,
  },
  {
    title: 'Per minute',
    isNumber: true,
    isMinor: true,
    cell: ({ finishedPerMinute }) => rate(finishedPerMinute),
  },
  { title: 'Started', isMinor: true, cell: ({ createdAt }) => <Time at={createdAt} /> },
];

export function OperationsPage() {
  return (
    <Page title="Operations">
      <PagedTable
        label="Operations"
        route={operationApi.listOperations}
        request={{}}
        topics={['operations']}
        columns={COLUMNS}
        keyOf={({ 'ref-id': refId }) => refId}
        empty={
          <Empty title="No operations yet.">
            <p>
              An operation starts when the CarOTA Server posts its vehicles to{' '}
              <code>/v1.0/ota/trigger</code>. It appears here immediately.
            </p>
          </Empty>
        }
      />
    </Page>
  );
}
