import { operationAuditApi } from '../../contract/adapter-api/index.js';
import { OPERATION_AUDIT_COLUMNS } from '../audit/audit-columns.js';
import { useIsLimited } from '../app/session.js';
import { Empty } from '../ui/notes.js';
import { Card } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';

/** Actions on the operation: who, when and why. */
export function AuditCard({ refId }: { refId: string }) {
  if (useIsLimited()) return null;
  return (
    <Card title="Audit log" wide>
      <PagedTable
        label="Audit log of this operation"
        route={operationAuditApi.listOperationAudit}
        request={{ params: { 'ref-id': refId } }}
        topics={['audit']}
        columns={OPERATION_AUDIT_COLUMNS}
        keyOf={({ id }) => String(id)}
        limit={20}
        empty={<Empty title="No actions yet." />}
      />
    </Card>
  );
}
