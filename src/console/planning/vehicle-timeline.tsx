import { type ReactNode } from 'react';
import { Link } from 'wouter';
import { type VehicleTimelineEntry, vehicleTimelineApi } from '../../contract/carota-api/index.js';
import { useApi } from '../api/use-query.js';
import { scheduleAt } from '../app/address.js';
import { count } from '../format/numbers.js';
import { Answered, Empty } from '../ui/notes.js';
import { Card } from '../ui/page.js';
import { State } from '../ui/state.js';
import { type Column, Table } from '../ui/table.js';
import { Time } from '../ui/time.js';

/** A vehicle's reports in its schedules, the guard's results, and due results. */
export function VehicleTimeline({ vin, topics }: { vin: string; topics: readonly string[] }) {
  const answer = useApi(vehicleTimelineApi.getVehicleTimeline, { params: { vin } }, { topics });
  return (
    <Card title="Timeline" note="due results first, then newest first" wide>
      <Answered answer={answer} lines={8}>
        {({ items }) => (
          <Table
            label="Timeline"
            columns={COLUMNS}
            items={items}
            keyOf={keyOf}
            empty={<Empty title="Nothing has happened yet." />}
          />
        )}
      </Answered>
    </Card>
  );
}

const keyOf = (entry: VehicleTimelineEntry) =>
  entry.kind === 'report'
    ? entry['event-id']
    : [
        ...[entry.kind, entry.at, entry['ref-id']],
        ...(entry.kind === 'result' ? [entry.result] : []),
        ...(entry.kind === 'due' ? [entry.becomes] : []),
      ].join(' ');

const COLUMNS: readonly Column<VehicleTimelineEntry>[] = [
  { title: 'When', cell: ({ at }) => <Time at={at} style="precise" /> },
  {
    title: 'Vehicle’s time',
    isMinor: true,
    cell: (entry) => entry.kind === 'report' && <Time at={entry.timestamp} style="precise" />,
  },
  {
    title: 'Schedule',
    cell: ({ 'ref-id': refId }) => <Link href={scheduleAt(refId)}>{refId}</Link>,
  },
  { title: 'What', cell: whatOf },
  { title: 'Details', cell: detailsOf },
];

const DUE = {
  silent: 'will count as silent',
  succeeded: 'will count as succeeded',
  failed: 'will count as failed',
  retried: 'retry due',
} as const;

function whatOf(entry: VehicleTimelineEntry): ReactNode {
  switch (entry.kind) {
    case 'asked':
      return 'requested admission';
    case 'exposed':
      return 'exposed';
    case 'report':
      return <State state={entry['status-name']} />;
    case 'result':
      return `counted as ${entry.result}`;
    case 'retried':
      return 'new attempt started';
    case 'due':
      return DUE[entry.becomes];
  }
}

function detailsOf(entry: VehicleTimelineEntry): ReactNode {
  switch (entry.kind) {
    case 'asked':
      return 'had to wait';
    case 'exposed':
      return `place ${count(entry.place)} in the order of exposure`;
    case 'report':
      return entry.meta.map(({ key, value }) => `${key} ${value}`).join(', ');
    case 'due':
      return `${entry.because}, unless ${entry.unless}`;
    default:
      return null;
  }
}
