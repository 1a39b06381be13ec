import { auditApi } from '../../contract/adapter-api/index.js';
import { Empty } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { ALL_AUDIT_COLUMNS } from './audit-columns.js';

export function AuditPage() {
  return (
    <Page title="Audit log">
      <PagedTable
        label="Audit log"
        route={auditApi.listAudit}
        request={{}}
        topics={['audit']}
        columns={ALL_AUDIT_COLUMNS}
        keyOf={({ id }) => String(id)}
        empty={
          <Empty title="No actions yet.">
            <p>Every pause, cancellation, retrigger and change is logged here.</p>
          </Empty>
        }
      />
    </Page>
  );
}
