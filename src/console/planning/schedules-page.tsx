import { Link } from 'wouter';
import { type Schedule, scheduleApi } from '../../contract/carota-api/index.js';
import { scheduleAt, scriptAt } from '../app/address.js';
import { useMay } from '../app/session.js';
import { Empty } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { Status } from '../ui/state.js';
import { type Column } from '../ui/table.js';
import { Time } from '../ui/time.js';

const COLUMNS: readonly Column<Schedule>[] = [
  {
    title: 'Schedule',
    cell: ({ 'ref-id': refId }) => <Link href={scheduleAt(refId)}>{refId}</Link>,
  },
  {
    title: 'Status',
    cell: ({ status, reason }) => (
      <>
        <Status status={status} />
        {reason !== '' && <small>{reason}</small>}
      </>
    ),
  },
  {
    title: 'Script',
    cell: ({ 'script-ref-id': script }) => <Link href={scriptAt(script)}>{script}</Link>,
  },
  { title: 'Model', isMinor: true, cell: ({ model }) => model },
  {
    title: 'Waves',
    isNumber: true,
    isMinor: true,
    cell: ({ plan }) => plan.waves?.length ?? 'all at once',
  },
  { title: 'Created', isMinor: true, cell: ({ createdAt }) => <Time at={createdAt} /> },
  { title: 'Started', cell: ({ startedAt }) => <Time at={startedAt} /> },
  { title: 'Ended', cell: ({ endedAt }) => <Time at={endedAt} /> },
];

export function SchedulesPage() {
  const mayPlan = useMay('plan');
  return (
    <Page
      title="Schedules"
      actions={
        mayPlan && (
          <Link className="button primary" href="/schedules/new">
            Plan a schedule
          </Link>
        )
      }
    >
      <PagedTable
        label="Schedules"
        route={scheduleApi.listSchedules}
        request={{}}
        topics={['schedules']}
        columns={COLUMNS}
        keyOf={({ 'ref-id': refId }) => refId}
        empty={
          <Empty title="No schedules yet.">
            <p>
              Upload an <Link href="/artifacts">artifact</Link>, write an{' '}
              <Link href="/scripts/new">update script</Link>, then plan a schedule.
            </p>
          </Empty>
        }
      />
    </Page>
  );
}
