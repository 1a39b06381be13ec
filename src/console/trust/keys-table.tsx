import { type RepositoryKey } from '../../contract/carota-api/index.js';
import { type Column, Table } from '../ui/table.js';

const COLUMNS: readonly Column<RepositoryKey>[] = [
  { title: 'Key id', cell: ({ id }) => <code className="wrap">{id}</code> },
  { title: 'Type', cell: ({ keytype }) => keytype },
  { title: 'May sign', cell: ({ roles }) => roles.join(', ') },
];

/** Public keys with their whole ids, to be compared over the telephone. */
export function KeysTable({ label, keys }: { label: string; keys: readonly RepositoryKey[] }) {
  return <Table label={label} columns={COLUMNS} items={keys} keyOf={({ id }) => id} empty={null} />;
}
