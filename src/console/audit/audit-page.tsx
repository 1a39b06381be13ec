import { AUDIT_OUTCOMES, auditApi } from '../../contract/common-api/index.js';
import { operationAt, scheduleAt, useFilters } from '../app/address.js';
import { useSession } from '../app/session.js';
import { oneOf } from '../format/choice.js';
import { given } from '../format/given.js';
import { SelectField, TextField } from '../ui/fields.js';
import { Empty } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { VinFilter } from '../ui/set-aside.js';
import { TextFilter } from '../ui/text-filter.js';
import { auditColumns } from './audit-columns.js';
import { ChainCard } from './chain-card.js';

const OF_OPERATIONS = auditColumns(operationAt);
const OF_SCHEDULES = auditColumns(scheduleAt);

/** Of either server: who did what, when, from where and why, and what came of it. */
export function AuditPage() {
  const { server } = useSession();
  const [typed, setFilters] = useFilters(
    'who',
    'action',
    'outcome',
    'subject',
    'vin',
    'from',
    'to',
  );
  const { who, action, outcome, subject, vin, from, to } = typed;
  const query = given({
    who,
    action,
    subject,
    vin,
    outcome: oneOf(AUDIT_OUTCOMES, outcome),
    from: moment(from),
    to: moment(to),
  });
  return (
    <Page title="Audit log">
      <ChainCard />
      <div className="filters">
        <TextFilter label="Who is" value={who} onChange={(value) => setFilters({ who: value })} />
        <TextFilter
          label="Action is"
          value={action}
          onChange={(value) => setFilters({ action: value })}
        />
        <SelectField
          label="Outcome"
          value={outcome}
          onChange={(value) => setFilters({ outcome: value })}
          options={['', ...AUDIT_OUTCOMES].map((value) => ({
            value,
            label: value === '' ? 'any outcome' : value,
          }))}
        />
        <TextFilter
          label="Subject is"
          value={subject}
          onChange={(value) => setFilters({ subject: value })}
        />
        <VinFilter value={vin} onChange={(value) => setFilters({ vin: value })} />
        <TextField
          label="From"
          type="datetime-local"
          value={from}
          onChange={(value) => setFilters({ from: value })}
        />
        <TextField
          label="To"
          type="datetime-local"
          value={to}
          onChange={(value) => setFilters({ to: value })}
        />
      </div>
      <PagedTable
        label="Audit log"
        route={auditApi.listAudit}
        request={{ query }}
        topics={['audit']}
        columns={server === 'adapter' ? OF_OPERATIONS : OF_SCHEDULES}
        keyOf={({ id }) => String(id)}
        empty={<Empty title="No entries match." />}
      />
    </Page>
  );
}

/** A local time of a field as RFC 3339; undefined while it is none. */
function moment(text: string): string | undefined {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}
