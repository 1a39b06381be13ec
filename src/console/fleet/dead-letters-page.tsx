import { useState } from 'react';
import { Link } from 'wouter';
import { type DeadLetter } from '../api/adapter.js';
import { at, send } from '../api/client.js';
import { useAskAgain } from '../api/use-query.js';
import { useFilters, vehicleAt } from '../app/address.js';
import { useMay } from '../app/session.js';
import { textOf } from '../format/messages.js';
import { bytes, count, plural } from '../format/numbers.js';
import { Confirm } from '../ui/confirm.js';
import { Dialog } from '../ui/dialog.js';
import { SelectField } from '../ui/fields.js';
import { MessageText } from '../ui/message-text.js';
import { Empty } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { type Column } from '../ui/table.js';
import { TextFilter } from '../ui/text-filter.js';
import { Time } from '../ui/time.js';

const PATH = '/v1.0/dead-letters';
const TOPICS = ['dead-letters'];
/** What one call to replay them takes at most. */
const AT_ONCE = 1_000;

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
      actions={mayReplay && <ReplayAll filter={filter} onDone={setOutcome} />}
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
          cell: (letter: DeadLetter) => <ReplayOne letter={letter} onDone={onOutcome} />,
        },
      ]
    : []),
];

function ReplayOne({ letter, onDone }: { letter: DeadLetter; onDone: (text: string) => void }) {
  const askAgain = useAskAgain();
  const act = async () => {
    const { outcome, reason } = await send<{ outcome: string; reason: string | null }>(
      'POST',
      at`/v1.0/dead-letters/${letter.id}/replay`,
    );
    onDone(
      reason === null ? `The message was ${outcome}.` : `The message was ${outcome}: ${reason}.`,
    );
    await askAgain('dead-letters');
  };
  return (
    <Confirm label="Replay" isSmall title="Replay this message?" withReason={false} act={act}>
      <ul>
        <li>
          1 message is taken as if it had just arrived; it stays here if its cause still stands.
        </li>
        {letter.replayedAt !== null && <li>It was replayed before.</li>}
      </ul>
    </Confirm>
  );
}

interface Outcome {
  readonly applied: number;
  readonly duplicate: number;
  readonly refused: number;
  readonly more: boolean;
}

function ReplayAll({
  filter,
  onDone,
}: {
  filter: Readonly<Record<string, string>>;
  onDone: (text: string) => void;
}) {
  const askAgain = useAskAgain();
  const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== ''));
  const act = async (why: string) => {
    const { applied, duplicate, refused, more } = await send<Outcome>('POST', `${PATH}/replay`, {
      ...given,
      limit: AT_ONCE,
      ...(why === '' ? {} : { why }),
    });
    onDone(
      `${plural(applied, 'message')} applied, ${count(duplicate)} known already, ${count(refused)} refused once more.${more ? ' There are more: replay again.' : ''}`,
    );
    await askAgain('dead-letters');
  };
  const named = Object.entries(given).map(([name, value]) => `${name} ${value}`);
  return (
    <Confirm label="Replay all that match" title="Replay all that match the filter?" act={act}>
      <ul>
        <li>
          Up to {count(AT_ONCE)} messages that were not replayed yet
          {named.length > 0 ? `, with ${named.join(', ')},` : ''} are taken as if they had just
          arrived.
        </li>
        <li>Those whose cause still stands stay here.</li>
      </ul>
    </Confirm>
  );
}
