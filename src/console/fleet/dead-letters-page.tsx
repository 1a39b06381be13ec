import { useState } from 'react';
import { Link } from 'wouter';
import { type DeadLetter } from '../api/adapter.js';
import { at } from '../api/client.js';
import { useFilters, vehicleAt } from '../app/address.js';
import { useMay } from '../app/session.js';
import { textOf } from '../format/messages.js';
import { bytes } from '../format/numbers.js';
import { Dialog } from '../ui/dialog.js';
import { SelectField } from '../ui/fields.js';
import { MessageText } from '../ui/message-text.js';
import { Empty } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { ReplayAll, type Replayed, ReplayOne } from '../ui/replay.js';
import { type Column } from '../ui/table.js';
import { TextFilter } from '../ui/text-filter.js';
import { Time } from '../ui/time.js';

const PATH = '/v1.0/dead-letters';
const TOPICS = ['dead-letters'];
const MESSAGE: Replayed = {
  noun: 'message',
  taken: 'applied',
  how: { one: 'as if it had just arrived', many: 'as if they had just arrived' },
  topic: 'dead-letters',
};

const vinFault = (typed: string) =>
  /^([A-HJ-NPR-Z0-9]{17})?$/.test(typed) ? undefined : 'A whole VIN, of 17 characters.';

export function DeadLettersPage() {
  const [{ reason, status, vin, replayed }, setFilters] = useFilters(
    'reason',
    'status',
    'vin',
    'replayed',
  );
  const filter = { reason, status, vin };
  const mayReplay = useMay('control');
  const [outcome, setOutcome] = useState('');
  return (
    <Page
      title="Dead letters"
      actions={
        mayReplay && <ReplayAll of={MESSAGE} path={PATH} filter={filter} onDone={setOutcome} />
      }
    >
      <p className="muted">Messages that could not be applied. Each is kept as it came.</p>
      <div className="filters">
        <TextFilter
          label="Reason is"
          value={reason}
          onChange={(value) => setFilters({ reason: value })}
          isUpperCase
        />
        <SelectField
          label="Status"
          value={status}
          onChange={(value) => setFilters({ status: value })}
          options={['', 'INVALID', 'EXPIRED', 'DEVICE_NOT_FOUND'].map((value) => ({
            value,
            label: value === '' ? 'any status' : value,
          }))}
        />
        <TextFilter
          label="VIN is"
          value={vin}
          onChange={(value) => setFilters({ vin: value })}
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
      <PagedTable<DeadLetter>
        label="Dead letters"
        path={PATH}
        query={{ ...filter, replayed }}
        topics={TOPICS}
        columns={columns(mayReplay, setOutcome)}
        keyOf={({ id }) => id}
        empty={<Empty title="There is no dead letter here: every message could be applied." />}
      />
    </Page>
  );
}

const columns = (
  mayReplay: boolean,
  onOutcome: (text: string) => void,
): readonly Column<DeadLetter>[] => [
  { title: 'Received', cell: ({ receivedAt }) => <Time at={receivedAt} /> },
  { title: 'Status', isMinor: true, cell: ({ status }) => status },
  {
    title: 'Reason',
    cell: ({ reason, detail, path }) => (
      <>
        {reason}
        <small>
          {path !== '' && <code>{path}</code>} {detail}
        </small>
      </>
    ),
  },
  { title: 'VIN', cell: ({ vin }) => vin !== null && <Link href={vehicleAt(vin)}>{vin}</Link> },
  {
    title: 'Message',
    cell: (letter) => (
      <Dialog label={bytes(letter.payloadBytes)} title="Message as it came" className="small">
        <dl className="facts">
          <dt>Topic</dt>
          <dd>{letter.topic}</dd>
          <dt>Message</dt>
          <dd>{letter.messageId ?? 'not known'}</dd>
        </dl>
        <MessageText envelope={textOf(letter.payload)} />
      </Dialog>
    ),
  },
  { title: 'Replayed', cell: ({ replayedAt }) => <Time at={replayedAt} /> },
  ...(mayReplay
    ? [
        {
          title: '',
          cell: ({ id, replayedAt }: DeadLetter) => (
            <ReplayOne
              of={MESSAGE}
              path={at`/v1.0/dead-letters/${id}`}
              wasReplayed={replayedAt !== null}
              onDone={onOutcome}
            />
          ),
        },
      ]
    : []),
];
