/** Columns of the table of tokens. */
import { useState } from 'react';
import { client } from '../api/client.js';
import { Confirm } from '../ui/confirm.js';
import { NumberField } from '../ui/fields.js';
import { numberFault } from '../format/number-text.js';
import { type Column } from '../ui/table.js';
import { Time } from '../ui/time.js';
import { type TokenApi } from '../../contract/common-api/index.js';
import { hasEnded, type Token } from './token.js';

/** A month. */
const HOURS = { isInteger: true, min: 0, max: 744 } as const;
const HOUR_SECONDS = 60 * 60;

/** @param onChanged with the secret of a successor */
export const tokenColumns = (
  api: TokenApi,
  onChanged: (secret?: string) => void,
): readonly Column<Token>[] => [
  { title: 'Name', cell: ({ name }) => name },
  { title: 'Role', cell: ({ role, vin }) => (vin === null ? role : `${role} ${vin}`) },
  {
    title: 'Vehicle models',
    cell: ({ scopes }) => (scopes === null ? 'All' : scopes.join(', ')),
  },
  { title: 'Created', isMinor: true, cell: ({ createdAt }) => <Time at={createdAt} /> },
  {
    title: 'Last used',
    cell: ({ lastUsedAt }) => (lastUsedAt === null ? 'Never' : <Time at={lastUsedAt} />),
  },
  { title: 'Expires', cell: (token) => <Expiry token={token} /> },
  {
    title: 'Actions',
    cell: (token) => <Actions api={api} token={token} onChanged={onChanged} />,
  },
];

function Expiry({ token: { revokedAt, expiresAt, replacedBy } }: { token: Token }) {
  if (revokedAt !== null) {
    return (
      <>
        Revoked <Time at={revokedAt} />
      </>
    );
  }
  if (expiresAt === null) return <>Never</>;
  return (
    <>
      <Time at={expiresAt} />
      {replacedBy !== null && ' (replaced)'}
    </>
  );
}

interface ActionsProps {
  readonly api: TokenApi;
  readonly token: Token;
  readonly onChanged: (secret?: string) => void;
}

function Actions({ api, token, onChanged }: ActionsProps) {
  const { id, name, replacedBy } = token;
  const [overlap, setOverlap] = useState('24');
  const params = { id };
  if (hasEnded(token)) return null;
  return (
    <div className="actions">
      {replacedBy === null && (
        <Confirm
          label="Replace"
          confirmLabel="Create successor"
          title={`Replace the token ${name}?`}
          isSmall
          withReason={false}
          isReady={numberFault(overlap, HOURS) === undefined && overlap.trim() !== ''}
          act={async () => {
            const body = { overlap: Number(overlap) * HOUR_SECONDS };
            onChanged((await client.call(api.rotateToken, { params, body })).token);
          }}
        >
          <p>A successor with the same rights is created. Both work for the overlap.</p>
          <NumberField
            label="Overlap, hours"
            rule={HOURS}
            value={overlap}
            onChange={setOverlap}
            help="Then the old token ends."
          />
        </Confirm>
      )}
      <Confirm
        label="Revoke"
        title={`Revoke the token ${name}?`}
        isDangerous
        isSmall
        withReason={false}
        act={async () => {
          await client.call(api.revokeToken, { params });
          onChanged();
        }}
      >
        <p>Its requests end at once, and further ones are refused. This cannot be undone.</p>
      </Confirm>
    </div>
  );
}
