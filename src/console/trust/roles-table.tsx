import { type RepositoryRole } from '../../contract/carota-api/index.js';
import { type Column, Table } from '../ui/table.js';
import { Expiry } from './expiry.js';
import { KeyIds } from './key-ids.js';

const COLUMNS: readonly Column<RepositoryRole>[] = [
  { title: 'Role', cell: ({ role }) => role },
  { title: 'Version', isNumber: true, cell: ({ version }) => version },
  { title: 'Expires', cell: (role) => <Expiry role={role} /> },
  {
    title: 'Signatures',
    cell: ({ threshold, keys, signedBy }) => (
      <>
        {signedBy.length} of {threshold} needed
        {signedBy.length < threshold && <span className="tag bad">too few</span>}
        <small>
          {threshold} of {keys.length} keys must sign
        </small>
      </>
    ),
  },
  { title: 'Signed by', cell: ({ signedBy }) => <KeyIds ids={signedBy} /> },
  { title: 'Keys', isMinor: true, cell: ({ keys }) => <KeyIds ids={keys} /> },
];

/** Roles with version, expiry and signatures. */
export function RolesTable({ label, roles }: { label: string; roles: readonly RepositoryRole[] }) {
  return (
    <Table
      label={label}
      columns={COLUMNS}
      items={roles}
      keyOf={({ role }) => role}
      empty={<p className="note">Nothing is published yet.</p>}
    />
  );
}
