import { Link } from 'wouter';
import {
  DEAD_LETTER_STATUSES,
  type DeadLetter,
  deadLetterApi,
} from '../../contract/adapter-api/index.js';
import { DEAD_LETTER_MEANINGS, DEAD_LETTER_REASONS } from '../../contract/dead-letter-reasons.js';
import { client } from '../api/client.js';
import { useFilters, vehicleAt } from '../app/address.js';
import { useMay } from '../app/session.js';
import { oneOf, yesOrNo } from '../format/choice.js';
import { textOf } from '../format/messages.js';
import { bytes } from '../format/numbers.js';
import { given } from '../format/given.js';
import { bind } from '../ui/bind.js';
import { Dialog } from '../ui/dialog.js';
import { SelectField } from '../ui/fields.js';
import { MessageText } from '../ui/message-text.js';
import { Empty } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { type Replayed, useReplay } from '../ui/replay.js';
import { Fault, ReplayedFilter, VinFilter } from '../ui/set-aside.js';
import { type Column } from '../ui/table.js';
import { Time } from '../ui/time.js';

const TOPICS = ['dead-letters'];
const MESSAGE: Replayed = {
  noun: 'message',
  taken: 'applied',
  how: { one: 'as if it had just arrived', many: 'as if they had just arrived' },
  topic: 'dead-letters',
};

export function DeadLettersPage() {
  const [filters, setFilters] = useFilters('reason', 'status', 'vin', 'replayed');
  const bound = bind(filters, setFilters);
  const { reason, status, vin, replayed } = filters;
  const filter = given({
    reason: oneOf(DEAD_LETTER_REASONS, reason),
    vin,
    status: oneOf(DEAD_LETTER_STATUSES, status),
  });
  const replay = useReplay({
    of: MESSAGE,
    isAllowed: useMay('control'),
    filter,
    one: (id) => client.call(deadLetterApi.replayDeadLetter, { params: { id } }),
    all: async (options) => {
      const body = { filter, ...options };
      const tally = await client.call(deadLetterApi.replayDeadLetters, { body });
      return { ...tally, taken: tally.applied };
    },
  });
  return (
    <Page title="Dead letters" actions={replay.action}>
      <p className="muted">Messages that could not be applied. Each is kept as received.</p>
      <div className="filters">
        <SelectField
          label="Reason"
          {...bound('reason')}
          options={['', ...DEAD_LETTER_REASONS].map((value) => ({
            value,
            label: value === '' ? 'any reason' : value,
          }))}
        />
        <SelectField
          label="Status"
          {...bound('status')}
          options={['', ...DEAD_LETTER_STATUSES].map((value) => ({
            value,
            label: value === '' ? 'any status' : value,
          }))}
        />
        <VinFilter {...bound('vin')} />
        <ReplayedFilter {...bound('replayed')} />
      </div>
      {replay.outcome}
      <PagedTable
        label="Dead letters"
        route={deadLetterApi.listDeadLetters}
        request={{ query: given({ ...filter, replayed: yesOrNo(replayed) }) }}
        topics={TOPICS}
        columns={[...COLUMNS, ...replay.columns]}
        keyOf={({ id }) => id}
        empty={<Empty title="No dead letters: every message could be applied." />}
      />
    </Page>
  );
}

const COLUMNS: readonly Column<DeadLetter>[] = [
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
          <Meaning reason={letter.reason} />
        </dl>
        <MessageText envelope={textOf(letter.payload)} />
      </Dialog>
    ),
  },
];

/** Of a reason of another release, the code alone is shown. */
function Meaning({ reason }: { readonly reason: string }) {
  const code = oneOf(DEAD_LETTER_REASONS, reason);
  if (code === undefined) return null;
  const { meaning, remedy } = DEAD_LETTER_MEANINGS[code];
  return (
    <>
      <dt>Reason</dt>
      <dd>{meaning}</dd>
      <dt>Remedy</dt>
      <dd>{remedy}</dd>
    </>
  );
}
