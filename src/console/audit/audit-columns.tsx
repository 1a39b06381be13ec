import { Link } from 'wouter';
import { type AuditEntry } from '../../contract/common-api/index.js';
import { vehicleAt } from '../app/address.js';
import { type Column } from '../ui/table.js';
import { Time } from '../ui/time.js';
import { actionName } from './actions.js';

const WHEN: Column<AuditEntry> = { title: 'When', cell: ({ at }) => <Time at={at} /> };
const WHO: Column<AuditEntry> = {
  title: 'Who',
  cell: ({ tokenName, address }) => (
    <>
      {tokenName === '' ? <span className="muted">unknown</span> : tokenName}
      {address !== '' && <small>{address}</small>}
    </>
  ),
};
const WHAT: Column<AuditEntry> = {
  title: 'What',
  cell: ({ action, outcome, errorCode }) => (
    <>
      {actionName(action)}
      {outcome !== 'done' && (
        <small>
          <strong>{outcome}</strong> {errorCode}
        </small>
      )}
    </>
  ),
};
const VEHICLE: Column<AuditEntry> = {
  title: 'Vehicle',
  isMinor: true,
  cell: ({ vin }) => vin && <Link href={vehicleAt(vin)}>{vin}</Link>,
};
const REASON: Column<AuditEntry> = { title: 'Reason', cell: ({ reason }) => reason };
const DETAILS: Column<AuditEntry> = {
  title: 'Details',
  isMinor: true,
  cell: ({ detail }) =>
    Object.keys(detail).length > 0 && <code className="wrap">{JSON.stringify(detail)}</code>,
};

/** Of one operation. */
export const OPERATION_AUDIT_COLUMNS: readonly Column<AuditEntry>[] = [
  WHEN,
  WHO,
  WHAT,
  VEHICLE,
  REASON,
  DETAILS,
];

/** @param subjectAt address of the page of an operation or schedule */
export const auditColumns = (
  subjectAt: (refId: string) => string,
): readonly Column<AuditEntry>[] => [
  WHEN,
  WHO,
  WHAT,
  {
    title: 'Subject',
    cell: ({ 'ref-id': refId, subject }) =>
      refId === null ? (
        <span className="wrap">{subject}</span>
      ) : (
        <Link href={subjectAt(refId)}>{refId}</Link>
      ),
  },
  VEHICLE,
  REASON,
  DETAILS,
];
