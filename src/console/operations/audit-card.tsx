import { type AuditEntry } from '../api/adapter.js';
import { at } from '../api/client.js';
import { AUDIT_COLUMNS } from '../fleet/audit-columns.js';
import { Empty } from '../ui/notes.js';
import { Card } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';

/** Who has controlled the operation, when and why. */
export function AuditCard({ refId }: { refId: string }) {
  return (
    <Card title="Audit log" wide>
      <PagedTable<AuditEntry>
        label="Audit log of this operation"
        path={at`/v1.0/ota/operations/${refId}/audit`}
        topics={['audit']}
        columns={AUDIT_COLUMNS}
        keyOf={({ id }) => String(id)}
        limit={20}
        empty={<Empty title="No one has controlled it." />}
      />
    </Card>
  );
}
