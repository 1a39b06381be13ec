import { Link } from 'wouter';
import { type AttackReport, directorApi } from '../../contract/carota-api/index.js';
import { useFilters, vehicleAt } from '../app/address.js';
import { given } from '../format/given.js';
import { Empty } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { VinFilter } from '../ui/set-aside.js';
import { type Column } from '../ui/table.js';
import { ATTACK_COLUMNS } from './attack-columns.js';

const COLUMNS: readonly Column<AttackReport>[] = [
  ...ATTACK_COLUMNS.slice(0, 1),
  { title: 'Vehicle', cell: ({ vin }) => <Link href={vehicleAt(vin)}>{vin}</Link> },
  ...ATTACK_COLUMNS.slice(1),
];

/** Attacks that ECUs have recognised. */
export function AttacksPage() {
  const [{ vin }, setFilters] = useFilters('vin');
  return (
    <Page title="Attacks">
      <p className="muted">
        Files that ECUs rejected as attacks, most recent kind first. Repeated reports are counted.
        None of these files was installed.
      </p>
      <div className="filters">
        <VinFilter value={vin} onChange={(value) => setFilters({ vin: value })} />
      </div>
      <PagedTable
        label="Attack reports"
        route={directorApi.listAttackReports}
        request={{ query: given({ vin }) }}
        topics={['attacks']}
        columns={COLUMNS}
        keyOf={({ id }) => String(id)}
        empty={
          <Empty title="No attack reports.">
            <p>ECUs report them with the next manifest.</p>
          </Empty>
        }
      />
    </Page>
  );
}
