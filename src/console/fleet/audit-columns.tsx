import { Link } from 'wouter';
import { type AuditEntry } from '../../contract/adapter-api/index.js';
import { operationAt, vehicleAt } from '../app/address.js';
import { type Column } from '../ui/table.js';
import { Time } from '../ui/time.js';

export const AUDIT_COLUMNS: readonly Column<AuditEntry>[] = [
  { title: 'When', cell: ({ at }) => <Time at={at} /> },
  { title: 'Who', cell: ({ tokenName }) => tokenName },
  { title: 'What', cell: ({ action }) => action },
  {
    title: 'Vehicle',
    isMinor: true,
    cell: ({ vin }) => vin && <Link href={vehicleAt(vin)}>{vin}</Link>,
  },
  { title: 'Reason', cell: ({ reason }) => reason },
  {
    title: 'Details',
    isMinor: true,
    cell: ({ detail }) =>
      Object.keys(detail).length > 0 && <code className="wrap">{JSON.stringify(detail)}</code>,
  },
];

export const ALL_AUDIT_COLUMNS: readonly Column<AuditEntry>[] = [
  ...AUDIT_COLUMNS.slice(0, 3),
  {
    title: 'Operation',
    cell: ({ 'ref-id': refId }) => refId && <Link href={operationAt(refId)}>{refId}</Link>,
  },
  ...AUDIT_COLUMNS.slice(3),
];
