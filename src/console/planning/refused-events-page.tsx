import { Link } from 'wouter';
import {
  REFUSAL_REASONS,
  type RefusalReason,
  type RefusedEvent,
  refusedEventApi,
} from '../../contract/carota-api/index.js';
import { client } from '../api/client.js';
import { scheduleAt, useFilters, vehicleAt } from '../app/address.js';
import { useMay } from '../app/session.js';
import { oneOf, yesOrNo } from '../format/choice.js';
import { given } from '../format/given.js';
import { indented } from '../format/messages.js';
import { bytes } from '../format/numbers.js';
import { bind } from '../ui/bind.js';
import { Dialog } from '../ui/dialog.js';
import { SelectField } from '../ui/fields.js';
import { Empty } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { type Replayed, useReplay } from '../ui/replay.js';
import { Fault, ReplayedFilter, VinFilter } from '../ui/set-aside.js';
import { type Column } from '../ui/table.js';
import { TextFilter } from '../ui/text-filter.js';
import { Time } from '../ui/time.js';

const TOPICS = ['refused-events'];
const EVENT: Replayed = {
  noun: 'event',
  taken: 'stored',
  how: {
    one: 'as if the adapter had just sent it',
    many: 'as if the adapter had just sent them',
  },
  topic: 'refused-events',
};

const REASONS: Readonly<Record<RefusalReason, string>> = {
  INVALID_EVENT: 'not a valid event',
  REFUSED_BY_DATABASE: 'refused by the database',
  NOT_APPLIED: 'could not be applied to its schedule',
};

export function RefusedEventsPage() {
  const [filters, setFilters] = useFilters('reason', 'ref-id', 'vin', 'replayed');
  const bound = bind(filters, setFilters);
  const { reason, 'ref-id': refId, vin, replayed } = filters;
  const filter = given({ reason: oneOf(REFUSAL_REASONS, reason), 'ref-id': refId, vin });
  const replay = useReplay({
    of: EVENT,
    isAllowed: useMay('plan'),
    filter,
    one: (id) => client.call(refusedEventApi.replayRefusedEvent, { params: { id } }),
    all: async (options) => {
      const body = { filter, ...options };
      const tally = await client.call(refusedEventApi.replayRefusedEvents, { body });
      return { ...tally, taken: tally.stored };
    },
  });
  return (
    <Page title="Refused events" actions={replay.action}>
      <p className="muted">
        Events from the adapter that could not be stored. Each is kept as received.
      </p>
      <div className="filters">
        <SelectField
          label="Reason"
          {...bound('reason')}
          options={[
            { value: '', label: 'any reason' },
            ...Object.entries(REASONS).map(([value, label]) => ({ value, label })),
          ]}
        />
        <TextFilter label="Schedule is" {...bound('ref-id')} />
        <VinFilter {...bound('vin')} />
        <ReplayedFilter {...bound('replayed')} />
      </div>
      {replay.outcome}
      <PagedTable
        label="Refused events"
        route={refusedEventApi.listRefusedEvents}
        request={{ query: given({ ...filter, replayed: yesOrNo(replayed) }) }}
        topics={TOPICS}
        columns={[...COLUMNS, ...replay.columns]}
        keyOf={({ id }) => id}
        empty={<Empty title="No refused events: every event could be stored." />}
      />
    </Page>
  );
}

const COLUMNS: readonly Column<RefusedEvent>[] = [
  { title: 'Received', cell: ({ refusedAt }) => <Time at={refusedAt} /> },
  {
    title: 'Reason',
    cell: ({ reason, path, detail }) => (
      <Fault reason={REASONS[reason]} path={path} detail={detail} />
    ),
  },
  {
    title: 'Schedule',
    cell: ({ 'ref-id': refId }) =>
      refId !== null && refId !== '' && <Link href={scheduleAt(refId)}>{refId}</Link>,
  },
  {
    title: 'VIN',
    cell: ({ vin }) => vin !== null && vin !== '' && <Link href={vehicleAt(vin)}>{vin}</Link>,
  },
  {
    title: 'Event',
    cell: ({ event, 'event-id': id }) => (
      <Dialog
        label={bytes(new TextEncoder().encode(event).length)}
        title="Event as received"
        className="small"
      >
        <dl className="facts">
          <dt>Event</dt>
          <dd>{id ?? 'no id'}</dd>
        </dl>
        <pre tabIndex={0}>{indented(event)}</pre>
      </Dialog>
    ),
  },
];
