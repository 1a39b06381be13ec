import { Link } from 'wouter';
import {
  type Decision,
  scheduleApi,
  type ScheduleDetails,
  type Wave,
} from '../../contract/carota-api/index.js';
import { useApi } from '../api/use-query.js';
import { scriptAt, usePathPart } from '../app/address.js';
import { count } from '../format/numbers.js';
import { Legend, StateBar } from '../ui/bar.js';
import { Answered, Empty } from '../ui/notes.js';
import { Card, Figures, Page } from '../ui/page.js';
import { Share } from '../ui/share.js';
import { Status } from '../ui/state.js';
import { type Column, Table } from '../ui/table.js';
import { Time } from '../ui/time.js';
import { AddVehicles } from './add-vehicles.js';
import { ComparisonCard } from './comparison-card.js';
import { GuardCard } from './guard-card.js';
import { PlanCard } from './plan-card.js';
import { ProposalCard } from './proposal-card.js';
import { RecordCard } from './record-card.js';
import { ScheduleActions } from './schedule-actions.js';
import { ScheduleVehicles } from './schedule-vehicles.js';

export function SchedulePage() {
  const refId = usePathPart(1);
  const topics = [`schedule:${refId}`];
  const answer = useApi(scheduleApi.getSchedule, { params: { 'ref-id': refId } }, { topics });
  return (
    <Page
      title={refId}
      beside={answer.data && <Status status={answer.data.status} />}
      actions={answer.data && <ScheduleActions schedule={answer.data} />}
    >
      <Answered answer={answer} lines={12}>
        {(schedule) => <ScheduleCards schedule={schedule} topics={topics} />}
      </Answered>
    </Page>
  );
}

function ScheduleCards({
  schedule,
  topics,
}: {
  schedule: ScheduleDetails;
  topics: readonly string[];
}) {
  const { states, waves, exposure, decisions, reason } = schedule;
  const sum = (of: (wave: Wave) => number) => waves.reduce((all, wave) => all + of(wave), 0);
  const vehicles = Object.values(states).reduce((all, n) => all + n, 0);
  return (
    <>
      {reason !== '' && <p className="note">{reason}</p>}
      <p className="muted">
        <Link href={scriptAt(schedule['script-ref-id'])}>{schedule['script-ref-id']}</Link> for{' '}
        {schedule.model}
        {schedule.startedAt !== null && (
          <>
            , started <Time at={schedule.startedAt} />
          </>
        )}
        {schedule.endedAt !== null && (
          <>
            , ended <Time at={schedule.endedAt} />
          </>
        )}
      </p>
      <Figures
        items={[
          { label: 'Vehicles', value: count(vehicles) },
          {
            label: 'Waves',
            value: `${waves.filter(({ state }) => state === 'passed').length} of ${waves.length}`,
          },
          { label: 'Finished', value: count(sum(({ finished }) => finished)) },
          { label: 'Exposed', value: count(exposure.exposed) },
          { label: 'Undecided', value: count(exposure.undecided) },
          { label: 'Succeeded', value: count(exposure.succeeded) },
          { label: 'Failed', value: count(exposure.failed + exposure.failedEarly) },
          { label: 'Silent', value: count(exposure.silent) },
          { label: 'Withdrawn', value: count(exposure.withdrawn) },
        ]}
      />
      {vehicles > 0 && (
        <div className="big-bar">
          <StateBar states={states} vehicles={vehicles} />
          <Legend states={states} />
        </div>
      )}
      <div className="cards">
        <Card title="Waves" wide>
          <Table
            label="Waves"
            columns={WAVES}
            items={waves}
            keyOf={({ number }) => String(number)}
            empty={
              <Empty title="No waves yet.">
                <p>Vehicles are put into waves when the schedule starts.</p>
              </Empty>
            }
          />
        </Card>
        {schedule.plan.guard && <GuardCard schedule={schedule} />}
        <PlanCard plan={schedule.plan} />
        {schedule.status === 'proposed' && (
          <>
            <ProposalCard schedule={schedule} topics={topics} />
            <ComparisonCard schedule={schedule} topics={topics} />
          </>
        )}
        <AddVehicles schedule={schedule} />
        <RecordCard schedule={schedule} />
        <Card title="Decisions" wide>
          <Table
            label="Decisions"
            columns={DECISIONS}
            items={decisions.toReversed()}
            keyOf={({ at: when, decision, wave }) => `${when} ${decision} ${String(wave)}`}
            empty={<Empty title="No decisions yet." />}
          />
        </Card>
        <ScheduleVehicles schedule={schedule} topics={topics} />
      </div>
    </>
  );
}

const WAVES: readonly Column<Wave>[] = [
  { title: 'Wave', cell: ({ number }) => number },
  { title: 'State', cell: ({ state }) => <Status status={state} /> },
  {
    title: 'Progress',
    cell: (wave) => <WaveBar wave={wave} />,
  },
  { title: 'Vehicles', isNumber: true, cell: ({ vehicles }) => count(vehicles) },
  { title: 'Finished', isNumber: true, cell: ({ finished }) => count(finished) },
  {
    title: 'Failed',
    isNumber: true,
    cell: ({ failed, finished }) => <Share value={failed} of={finished} />,
  },
  {
    title: 'Rollbacks failed',
    isNumber: true,
    isMinor: true,
    cell: (wave) => count(wave.rollbackFailed),
  },
  { title: 'Unknown', isNumber: true, isMinor: true, cell: ({ rejected }) => count(rejected) },
  { title: 'Posted', isMinor: true, cell: ({ postedAt }) => <Time at={postedAt} /> },
  { title: 'Passed', isMinor: true, cell: ({ passedAt }) => <Time at={passedAt} /> },
];

/** Results of a wave's vehicles. */
function WaveBar({ wave }: { wave: Wave }) {
  const { number, vehicles, succeeded, silent, finished } = wave;
  const failed = wave.failed + wave.failedEarly;
  const parts = [
    ['success', succeeded],
    ['failed', failed + silent],
    ['declined', finished - succeeded - failed - silent],
    ['install', wave.undecided],
  ] as const;
  return (
    <div
      className="bar"
      role="img"
      aria-label={`Wave ${number}: ${count(succeeded)} succeeded, ${count(failed)} failed, ${count(silent)} silent, ${count(wave.undecided)} undecided, ${count(finished)} of ${count(vehicles)} finished`}
    >
      {parts.map(
        ([group, n]) =>
          n > 0 && (
            <i
              key={group}
              className={`group-${group}`}
              style={{ width: `${(n / vehicles) * 100}%` }}
            />
          ),
      )}
    </div>
  );
}

const DECISIONS: readonly Column<Decision>[] = [
  { title: 'When', cell: ({ at: when }) => <Time at={when} /> },
  { title: 'Wave', cell: ({ wave }) => wave },
  { title: 'Decision', cell: ({ decision }) => decision },
  { title: 'Why', cell: ({ reason }) => reason },
  { title: 'By', cell: ({ actor }) => actor },
  {
    title: 'Figures',
    isMinor: true,
    cell: ({ figures }) =>
      figures !== null && <code className="wrap">{JSON.stringify(figures)}</code>,
  },
];
