import { type AuditEntry } from '../api/adapter.js';
import { Empty } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { ALL_AUDIT_COLUMNS } from './audit-columns.js';

export function AuditPage() {
  return (
    <Page title="Audit log">
      <PagedTable<AuditEntry>
        label="Audit log"
        path="/v1.0/audit"
        topics={['audit']}
        columns={ALL_AUDIT_COLUMNS}
        keyOf={({ id }) => String(id)}
        empty={
          <Empty title="Nothing was controlled yet.">
            <p>Who pauses, cancels, retriggers or changes something is written here.</p>
          </Empty>
        }
      />
    </Page>
  );
}
