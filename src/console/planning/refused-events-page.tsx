import { useState } from 'react';
import { Link } from 'wouter';
import { type RefusedEvent } from '../api/carota.js';
import { at } from '../api/client.js';
import { scheduleAt, useFilters, vehicleAt } from '../app/address.js';
import { useMay } from '../app/session.js';
import { indented } from '../format/messages.js';
import { bytes } from '../format/numbers.js';
import { Dialog } from '../ui/dialog.js';
import { SelectField } from '../ui/fields.js';
import { Empty } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { ReplayAll, type Replayed, ReplayOne } from '../ui/replay.js';
import { type Column } from '../ui/table.js';
import { TextFilter } from '../ui/text-filter.js';
import { Time } from '../ui/time.js';

const PATH = '/v1.0/refused-events';
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

const REASONS: Readonly<Record<RefusedEvent['reason'], string>> = {
  INVALID_EVENT: 'not a valid event',
  REFUSED_BY_DATABASE: 'refused by the database',
  NOT_APPLIED: 'could not be applied to its schedule',
};

const vinFault = (typed: string) =>
  /^([A-HJ-NPR-Z0-9]{17})?$/.test(typed) ? undefined : 'A VIN has 17 characters.';

export function RefusedEventsPage() {
  const [filters, setFilters] = useFilters('reason', 'ref-id', 'vin', 'replayed');
  const { replayed, ...filter } = filters;
  const mayReplay = useMay('plan');
  const [outcome, setOutcome] = useState('');
  return (
    <Page
      title="Refused events"
      actions={
        mayReplay && <ReplayAll of={EVENT} path={PATH} filter={filter} onDone={setOutcome} />
      }
    >
      <p className="muted">
        Events from the adapter that could not be stored. Each is kept as it came.
      </p>
      <div className="filters">
        <SelectField
          label="Reason"
          value={filter.reason}
          onChange={(reason) => setFilters({ reason })}
          options={[
            { value: '', label: 'any reason' },
            ...Object.entries(REASONS).map(([value, label]) => ({ value, label })),
          ]}
        />
        <TextFilter
          label="Schedule is"
          value={filter['ref-id']}
          onChange={(value) => setFilters({ 'ref-id': value })}
        />
        <TextFilter
          label="VIN is"
          value={filter.vin}
          onChange={(vin) => setFilters({ vin })}
          faultOf={vinFault}
          isUpperCase
        />
        <SelectField
          label="Replayed"
          value={replayed}
          onChange={(value) => setFilters({ replayed: value })}
          options={[
            { value: '', label: 'all' },
            { value: 'false', label: 'not yet' },
            { value: 'true', label: 'replayed' },
          ]}
        />
      </div>
      <p role="status">{outcome}</p>
      <PagedTable<RefusedEvent>
        label="Refused events"
        path={PATH}
        query={filters}
        topics={TOPICS}
        columns={columns(mayReplay, setOutcome)}
        keyOf={({ id }) => id}
        empty={<Empty title="No refused events: every event could be stored." />}
      />
    </Page>
  );
}

const columns = (
  mayReplay: boolean,
  onOutcome: (text: string) => void,
): readonly Column<RefusedEvent>[] => [
  { title: 'Received', cell: ({ refusedAt }) => <Time at={refusedAt} /> },
  {
    title: 'Reason',
    cell: ({ reason, path, detail }) => (
      <>
        {REASONS[reason]}
        <small>
          {path !== '' && <code>{path}</code>} {detail}
        </small>
      </>
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
        title="Event as it came"
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
  { title: 'Replayed', cell: ({ replayedAt }) => <Time at={replayedAt} /> },
  ...(mayReplay
    ? [
        {
          title: '',
          cell: ({ id, replayedAt }: RefusedEvent) => (
            <ReplayOne
              of={EVENT}
              path={at`/v1.0/refused-events/${id}`}
              wasReplayed={replayedAt !== null}
              onDone={onOutcome}
            />
          ),
        },
      ]
    : []),
];
