import { useState } from 'react';
import { Link } from 'wouter';
import {
  DEAD_LETTER_STATUSES,
  type DeadLetter,
  deadLetterApi,
} from '../../contract/adapter-api/index.js';
import { client } from '../api/client.js';
import { useFilters, vehicleAt } from '../app/address.js';
import { useMay } from '../app/session.js';
import { oneOf, yesOrNo } from '../format/choice.js';
import { textOf } from '../format/messages.js';
import { bytes } from '../format/numbers.js';
import { given } from '../format/given.js';
import { Dialog } from '../ui/dialog.js';
import { SelectField } from '../ui/fields.js';
import { MessageText } from '../ui/message-text.js';
import { Empty } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { ReplayAll, type Replayed, ReplayOne } from '../ui/replay.js';
import { Fault, ReplayedFilter, VinFilter } from '../ui/set-aside.js';
import { type Column } from '../ui/table.js';
import { TextFilter } from '../ui/text-filter.js';
import { Time } from '../ui/time.js';

const TOPICS = ['dead-letters'];
const MESSAGE: Replayed = {
  noun: 'message',
  taken: 'applied',
  how: { one: 'as if it had just arrived', many: 'as if they had just arrived' },
  topic: 'dead-letters',
};

export function DeadLettersPage() {
  const [typed, setFilters] = useFilters('reason', 'status', 'vin', 'replayed');
  const { reason, status, vin, replayed } = typed;
  const filter = given({ reason, vin, status: oneOf(DEAD_LETTER_STATUSES, status) });
  const mayReplay = useMay('control');
  const [outcome, setOutcome] = useState('');
  return (
    <Page
      title="Dead letters"
      actions={
        mayReplay && (
          <ReplayAll
            of={MESSAGE}
            filter={Object.entries(filter).map(([name, value]) => `${name} ${value}`)}
            replay={async (options) => {
              const body = { filter, ...options };
              const tally = await client.call(deadLetterApi.replayDeadLetters, { body });
              return { ...tally, taken: tally.applied };
            }}
            onDone={setOutcome}
          />
        )
      }
    >
      <p className="muted">Messages that could not be applied. Each is kept as received.</p>
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
          options={['', ...DEAD_LETTER_STATUSES].map((value) => ({
            value,
            label: value === '' ? 'any status' : value,
          }))}
        />
        <VinFilter value={vin} onChange={(value) => setFilters({ vin: value })} />
        <ReplayedFilter value={replayed} onChange={(value) => setFilters({ replayed: value })} />
      </div>
      <p role="status">{outcome}</p>
      <PagedTable
        label="Dead letters"
        route={deadLetterApi.listDeadLetters}
        request={{ query: given({ ...filter, replayed: yesOrNo(replayed) }) }}
        topics={TOPICS}
        columns={columns(mayReplay, setOutcome)}
        keyOf={({ id }) => id}
        empty={<Empty title="No dead letters: every message could be applied." />}
      />
    </Page>
  );
}

const columns = (
  mayReplay: boolean,
  onOutcome: (text: string) => void,
): readonly Column<DeadLetter>[] => [
  { title: 'Received', cell: (letter) => <Time at={letter['received-at']} /> },
  { title: 'Status', isMinor: true, cell: ({ status }) => status },
  {
    title: 'Reason',
    cell: ({ reason, path, detail }) => <Fault reason={reason} path={path} detail={detail} />,
  },
  { title: 'VIN', cell: ({ vin }) => vin !== null && <Link href={vehicleAt(vin)}>{vin}</Link> },
  {
    title: 'Message',
    cell: (letter) => (
      <Dialog label={bytes(letter.payloadBytes)} title="Message as received" className="small">
        <dl className="facts">
          <dt>Topic</dt>
          <dd>{letter.topic}</dd>
          <dt>Message</dt>
          <dd>{letter.message_id ?? 'unknown'}</dd>
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
              replay={() => client.call(deadLetterApi.replayDeadLetter, { params: { id } })}
              wasReplayed={replayedAt !== null}
              onDone={onOutcome}
            />
          ),
        },
      ]
    : []),
];
