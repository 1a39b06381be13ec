import { type ImageRepositoryStatus, type ProposedRole } from '../../contract/carota-api/index.js';
import { plural } from '../format/numbers.js';
import { Empty } from '../ui/notes.js';
import { Card } from '../ui/page.js';
import { type Column, Table } from '../ui/table.js';
import { Time } from '../ui/time.js';
import { KeyIds } from './key-ids.js';

interface ProposalProps {
  readonly title: string;
  /** Of its table. */
  readonly label: string;
  readonly status: Pick<ImageRepositoryStatus, 'proposed' | 'faults' | 'difference'>;
}

/** What waits for signatures, and the difference that its signers read. */
export function ProposalCard({ title, label, status }: ProposalProps) {
  const { proposed, faults, difference } = status;
  return (
    <Card title={title} note={proposed.length > 0 ? summary(proposed) : undefined} wide>
      <Table
        label={label}
        columns={COLUMNS}
        items={proposed}
        keyOf={({ role }) => role}
        empty={
          <Empty title="Nothing is proposed.">
            <p>Proposals wait here for signatures.</p>
          </Empty>
        }
      />
      {faults.length > 0 && (
        <div role="status" className="faults">
          <p className="fault">This cannot be signed:</p>
          <ul>
            {faults.map((fault) => (
              <li key={fault} className="fault">
                {fault}
              </li>
            ))}
          </ul>
        </div>
      )}
      {difference.length > 0 && (
        <>
          <h3>Content to sign</h3>
          <pre tabIndex={0} aria-label={`Difference of ${label}`}>
            {difference.join('\n')}
          </pre>
          <p className="muted">
            <code>+</code> added, <code>-</code> removed, <code>~</code> changed. Signers must not
            rely on this page: <code>otaops repository sign</code> shows the difference on their own
            machine.
          </p>
        </>
      )}
    </Card>
  );
}

function summary(proposed: readonly ProposedRole[]): string {
  const missing = proposed
    .flatMap(({ signatures }) => signatures)
    .reduce((sum, one) => sum + one.missing, 0);
  return missing === 0
    ? 'signed, waiting to be published'
    : `waiting for ${plural(missing, 'signature')}`;
}

const COLUMNS: readonly Column<ProposedRole>[] = [
  { title: 'Role', cell: ({ role }) => role },
  { title: 'Version', isNumber: true, cell: ({ version }) => version },
  { title: 'Expires', cell: ({ expires }) => <Time at={expires} /> },
  {
    title: 'Signatures',
    cell: ({ signatures }) =>
      signatures.map(({ by, threshold, signedBy, missing }) => (
        <div key={by}>
          {signedBy.length} of {threshold}
          {missing > 0 && <span className="tag bad">{missing} missing</span>}
          <small>by the keys of {by}</small>
        </div>
      )),
  },
  {
    title: 'Signed by',
    cell: ({ signatures }) => (
      <KeyIds ids={[...new Set(signatures.flatMap(({ signedBy }) => signedBy))]} />
    ),
  },
  {
    title: 'Can sign',
    cell: ({ signatures }) => (
      <KeyIds
        ids={[
          ...new Set(
            signatures.filter(({ missing }) => missing > 0).flatMap(({ canSign }) => canSign),
          ),
        ]}
      />
    ),
  },
  {
    title: 'Do not count',
    isMinor: true,
    cell: ({ broken, foreign }) => (
      <>
        {broken.length > 0 && (
          <>
            <KeyIds ids={broken} />
            <small>changed after this signature</small>
          </>
        )}
        {foreign.length > 0 && (
          <>
            <KeyIds ids={foreign} />
            <small>not a key of the role</small>
          </>
        )}
        {broken.length + foreign.length === 0 && <span className="muted">–</span>}
      </>
    ),
  },
];
