import { Link } from 'wouter';
import { type Notification, notificationApi } from '../../contract/carota-api/index.js';
import { scheduleAt } from '../app/address.js';
import { count } from '../format/numbers.js';
import { Empty } from '../ui/notes.js';
import { Card, Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { type Column } from '../ui/table.js';
import { Time } from '../ui/time.js';
import { NewRule } from './new-rule.js';
import { Rules } from './rules.js';

const TOPICS = ['notifications'];

/** Who is told of what, and whether it has arrived. */
export function NotificationsPage() {
  return (
    <Page title="Notifications">
      <div className="cards">
        <Rules topics={TOPICS} />
        <NewRule />
        <Card title="Deliveries" wide>
          <PagedTable
            label="Deliveries"
            route={notificationApi.listNotifications}
            request={{}}
            topics={TOPICS}
            columns={COLUMNS}
            keyOf={({ id }) => id}
            limit={20}
            empty={<Empty title="No notifications yet." />}
          />
        </Card>
      </div>
    </Page>
  );
}

const COLUMNS: readonly Column<Notification>[] = [
  { title: 'When', cell: ({ at }) => <Time at={at} /> },
  { title: 'Rule', cell: ({ rule }) => rule },
  {
    title: 'Message',
    cell: ({ summary, 'ref-id': refId }) =>
      refId === null ? summary : <Link href={scheduleAt(refId)}>{summary}</Link>,
  },
  { title: 'Tries', isNumber: true, isMinor: true, cell: ({ tries }) => count(tries) },
  { title: 'Delivery', cell: (delivery) => <Outcome delivery={delivery} /> },
];

function Outcome({ delivery: { deliveredAt, nextTryAt, failure } }: { delivery: Notification }) {
  if (deliveredAt !== null) {
    return (
      <>
        delivered <Time at={deliveredAt} />
      </>
    );
  }
  return (
    <>
      {nextTryAt === null ? (
        'given up'
      ) : (
        <>
          next try <Time at={nextTryAt} />
        </>
      )}
      {failure !== null && <small className="fault">{failure}</small>}
    </>
  );
}
