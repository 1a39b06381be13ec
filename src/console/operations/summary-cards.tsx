import { useEffect } from 'react';
import { Link } from 'wouter';
import {
  type FailureReason,
  insightApi,
  type Operation,
  type PhaseDuration,
  type States,
  type Summary,
} from '../../contract/adapter-api/index.js';
import { useApi } from '../api/use-query.js';
import { tableAt } from '../app/address.js';
import { count, duration, percent, rate } from '../format/numbers.js';
import { ShareBar } from '../ui/bar.js';
import { Answered, Empty } from '../ui/notes.js';
import { Card } from '../ui/page.js';
import { State } from '../ui/state.js';
import { type Column, Table } from '../ui/table.js';
import { Time } from '../ui/time.js';

/** The adapter caches summaries, so that one may be older than the last change. Pause before refetching, ms. */
const AGAIN_MS = 2_000;

/** Funnel, expected completion, failure reasons and durations. */
export function SummaryCards({
  operation,
  topics,
}: {
  operation: Operation;
  topics: readonly string[];
}) {
  const refId = operation['ref-id'];
  const answer = useApi(insightApi.getSummary, { params: { 'ref-id': refId } }, { topics });
  const { data, dataUpdatedAt, refetch } = answer;
  // The summary is older than the last change: a newer one will be available soon.
  const isOld = data !== undefined && !isSame(data.states, operation.states);
  useEffect(() => {
    if (!isOld) return;
    const again = setTimeout(() => void refetch(), AGAIN_MS);
    return () => clearTimeout(again);
    // After each answer, even an unchanged one.
  }, [isOld, dataUpdatedAt, refetch]);
  return (
    <>
      <Card title="Funnel and completion">
        <Answered answer={answer} lines={8}>
          {({ funnel, estimate }) => (
            <>
              <Funnel stages={funnel} />
              <Estimate estimate={estimate} operation={operation} />
            </>
          )}
        </Answered>
      </Card>
      <Card title="Why vehicles failed">
        <Answered answer={answer} lines={5}>
          {({ failureReasons }) => <Reasons reasons={failureReasons} refId={refId} />}
        </Answered>
      </Card>
      <Card
        title="Duration of each phase"
        note={data && `of ${count(data.sampledVehicles)} vehicles`}
      >
        <Answered answer={answer} lines={6}>
          {({ phases }) => <Phases phases={phases} />}
        </Answered>
      </Card>
    </>
  );
}

const isSame = (a: States, b: States) =>
  Object.keys({ ...a, ...b }).every((state) => (a[state] ?? 0) === (b[state] ?? 0));

function Funnel({ stages }: { stages: Summary['funnel'] }) {
  const all = stages[0]?.vehicles ?? 0;
  return (
    <ol className="funnel">
      {stages.map(({ stage, vehicles }) => (
        <li key={stage}>
          <span>{stage}</span>
          <ShareBar value={vehicles} of={all} label={stage} />
          <b>{count(vehicles)}</b>
          <span className="muted">{percent(vehicles, all)}</span>
        </li>
      ))}
    </ol>
  );
}

function Estimate({
  estimate,
  operation: { open, status },
}: {
  estimate: Summary['estimate'];
  operation: Operation;
}) {
  if (open === 0) return <p>All vehicles have finished.</p>;
  if (status === 'paused') return <p>Paused: no expected completion.</p>;
  if (estimate.completionAt === null) {
    return <p>No vehicle has finished recently: not enough data for an estimate.</p>;
  }
  return (
    <p>
      Expected completion{' '}
      <b>
        <Time at={estimate.completionAt} />
      </b>{' '}
      at the current {rate(estimate.finishedPerMinute)} per minute (last{' '}
      {duration(estimate.windowSeconds)}).
    </p>
  );
}

const REASONS = (refId: string): readonly Column<FailureReason>[] => [
  {
    title: 'Reason',
    cell: ({ state, reason }) => (
      <Link href={tableAt(refId, { state, ...(reason === '' ? {} : { reason }) })}>
        {reason === '' ? 'no reason given' : reason}
      </Link>
    ),
  },
  { title: 'State', cell: ({ state }) => <State state={state} /> },
  { title: 'Vehicles', isNumber: true, cell: ({ vehicles }) => count(vehicles) },
];

function Reasons({ reasons, refId }: { reasons: readonly FailureReason[]; refId: string }) {
  return (
    <Table
      label="Why vehicles failed"
      columns={REASONS(refId)}
      items={reasons}
      keyOf={({ state, reason }) => `${state} ${reason}`}
      empty={<Empty title="No vehicle has failed." />}
    />
  );
}

const PHASES: readonly Column<PhaseDuration>[] = [
  { title: 'Phase', cell: ({ phase }) => phase },
  { title: 'Vehicles', isNumber: true, isMinor: true, cell: ({ vehicles }) => count(vehicles) },
  { title: 'Median', isNumber: true, cell: ({ p50 }) => duration(p50) },
  { title: '90 %', isNumber: true, cell: ({ p90 }) => duration(p90) },
  { title: '99 %', isNumber: true, cell: ({ p99 }) => duration(p99) },
];

function Phases({ phases }: { phases: readonly PhaseDuration[] }) {
  return (
    <Table
      label="Duration of each phase"
      columns={PHASES}
      items={phases}
      keyOf={({ phase }) => phase}
      empty={<Empty title="No phase completed yet." />}
    />
  );
}
