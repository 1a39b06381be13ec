import { type ReactNode } from 'react';
import { Link } from 'wouter';
import {
  type Difference,
  type EcuComparison,
  type RegulationComparison,
  type ScheduleComparison,
  scheduleComparisonApi,
  type ScheduleDetails,
} from '../../contract/carota-api/index.js';
import { useApi } from '../api/use-query.js';
import { scheduleAt, vehicleAt } from '../app/address.js';
import { count, vehicles } from '../format/numbers.js';
import { Answered, Empty } from '../ui/notes.js';
import { Card } from '../ui/page.js';
import { PagedTable } from '../ui/pager.js';
import { type Column, Table } from '../ui/table.js';
import { Time } from '../ui/time.js';

interface ComparisonProps {
  readonly schedule: ScheduleDetails;
  readonly topics: readonly string[];
}

/** Differences from the last campaign, which the approver has not seen before. */
export function ComparisonCard({ schedule, topics }: ComparisonProps) {
  const request = { params: { 'ref-id': schedule['ref-id'] } };
  const answer = useApi(scheduleComparisonApi.compareSchedule, request, { topics });
  return (
    <Card title="Changes since the last campaign" wide>
      <Answered answer={answer} lines={8}>
        {(comparison) => (
          <>
            {comparison.digest !== schedule.digest && (
              <p className="note">The schedule has just changed. Reload the page to approve it.</p>
            )}
            <Comparison comparison={comparison} topics={topics} />
          </>
        )}
      </Answered>
    </Card>
  );
}

function Comparison({
  comparison,
  topics,
}: {
  comparison: ScheduleComparison;
  topics: readonly string[];
}) {
  const { last, plan, script } = comparison;
  return (
    <>
      <p>
        {last === null ? (
          'This is the first campaign of its model: everything is new.'
        ) : (
          <>
            Compared with <Link href={scheduleAt(last['ref-id'])}>{last['ref-id']}</Link>,{' '}
            {last.approvedAt === null ? 'started' : 'approved'}{' '}
            <Time at={last.approvedAt ?? last.startedAt} />, now {last.status}.
          </>
        )}
      </p>
      <h3>Plan</h3>
      <Differences label="Changes of the plan" items={plan} same="The plan is the same." />
      <h3>Update script</h3>
      <p>
        <ScriptNames script={script} />
      </p>
      <Table
        label="Software of both scripts"
        columns={ECUS}
        items={script.ecus}
        keyOf={({ ecu }) => ecu}
        empty={null}
      />
      <Table
        label="RXSWINs of both scripts"
        columns={REGULATIONS}
        items={script.regulations}
        keyOf={({ regulation }) => regulation}
        empty={<p className="muted">Neither script names an affected regulation.</p>}
      />
      <Differences
        label="Other changes of the script"
        items={script.other}
        same="Nothing else in the script differs."
      />
      <h3>Vehicles</h3>
      <Vehicles comparison={comparison} topics={topics} />
    </>
  );
}

function ScriptNames({ script: { before, after } }: Pick<ScheduleComparison, 'script'>) {
  const name = <b>{after['script-ref-id']}</b>;
  if (before === null) return name;
  if (before.sha256 === after.sha256) return <>The same script: {name}.</>;
  return (
    <>
      {name} instead of <b>{before['script-ref-id']}</b>.
    </>
  );
}

function Vehicles({
  comparison: { 'ref-id': refId, vehicles: counts },
  topics,
}: {
  comparison: ScheduleComparison;
  topics: readonly string[];
}) {
  const { before, after, added, removed } = counts;
  return (
    <>
      <p>
        {vehicles(after)}, {count(before)} in the last campaign: {count(added)} added,{' '}
        {count(removed)} removed.
      </p>
      {(['added', 'removed'] as const).map(
        (only) =>
          counts[only] > 0 && (
            <details key={only}>
              <summary>
                {only === 'added' ? 'Added' : 'Removed'}: {vehicles(counts[only])}
              </summary>
              <PagedTable
                label={`Vehicles ${only}`}
                route={scheduleComparisonApi.listComparedVehicles}
                request={{ params: { 'ref-id': refId }, query: { only } }}
                topics={topics}
                columns={[
                  { title: 'VIN', cell: ({ vin }) => <Link href={vehicleAt(vin)}>{vin}</Link> },
                ]}
                keyOf={({ vin }) => vin}
                limit={20}
                empty={<Empty title="No vehicles here." />}
              />
            </details>
          ),
      )}
    </>
  );
}

function Differences({
  label,
  items,
  same,
}: {
  label: string;
  items: readonly Difference[];
  same: string;
}) {
  return (
    <Table
      label={label}
      columns={DIFFERENCES}
      items={items}
      keyOf={({ path }) => path}
      empty={<p className="muted">{same}</p>}
    />
  );
}

const DIFFERENCES: readonly Column<Difference>[] = [
  { title: 'Member', cell: ({ path }) => <code className="wrap">{path.slice(1)}</code> },
  { title: 'Last campaign', cell: ({ before }) => valueOf(before) },
  { title: 'This one', cell: ({ after }) => valueOf(after) },
];

/** Longer values, as lists of VINs, are cut; the API has all of them. */
const LONGEST_VALUE = 500;

function valueOf(value: unknown): ReactNode {
  if (value === null) return <span className="muted">–</span>;
  const text = JSON.stringify(value);
  const isCut = text.length > LONGEST_VALUE;
  return (
    <code className="wrap">
      {isCut ? `${text.slice(0, LONGEST_VALUE)}… (${count(text.length)} characters)` : text}
    </code>
  );
}

const ECUS: readonly Column<EcuComparison>[] = [
  { title: 'ECU', cell: ({ ecu }) => ecu },
  { title: 'Last campaign', cell: ({ before }) => softwareOf(before) },
  { title: 'This one', cell: ({ after }) => softwareOf(after) },
  { title: 'Change', cell: ({ differs }) => (differs ? 'changed' : 'same') },
];

function softwareOf(update: EcuComparison['after']): ReactNode {
  if (update === null) return <span className="muted">not updated</span>;
  const { version, artifact, from, after } = update;
  return (
    <>
      {version}
      <small>
        SHA-256 <code className="wrap">{artifact.sha256}</code>, {count(artifact.size)} bytes
      </small>
      {from && <small>from {from.join(', ')}</small>}
      {after && <small>after {after.join(', ')}</small>}
    </>
  );
}

const REGULATIONS: readonly Column<RegulationComparison>[] = [
  { title: 'Regulation', cell: ({ regulation }) => regulation },
  { title: 'Last campaign', cell: ({ before }) => rxswinsOf(before) },
  { title: 'This one', cell: ({ after }) => rxswinsOf(after) },
  { title: 'Change', cell: ({ differs }) => (differs ? 'changed' : 'same') },
];

const rxswinsOf = (of: RegulationComparison['after']): ReactNode =>
  of === null ? (
    <span className="muted">not named</span>
  ) : (
    `${of.rxswinBefore} to ${of.rxswinAfter}`
  );
