import { type SchedulePlan, type SchedulePreview } from '../../contract/carota-api/index.js';
import { count, percent, vehicles } from '../format/numbers.js';
import { Empty } from '../ui/notes.js';
import { Table } from '../ui/table.js';
import { Time } from '../ui/time.js';
import { guardText } from './plan-card.js';

/** Preview of a plan: the vehicles it would update now, and when. */
export function Preview({ preview, plan }: { preview: SchedulePreview; plan: SchedulePlan }) {
  const { vehicles: all, unknown, waves, versions } = preview;
  return (
    <>
      <p>
        <b>{vehicles(all)}</b> get <b>{plan['script-ref-id']}</b>.{' '}
        {unknown > 0 && `${vehicles(unknown)} of them are unknown here. `}
        Guard: {guardText(plan.guard)}.
      </p>
      <h3>Waves</h3>
      <Table
        label="Waves of the preview"
        columns={[
          { title: 'Wave', cell: ({ number }) => number },
          { title: 'Vehicles', isNumber: true, cell: (wave) => count(wave.vehicles) },
          { title: 'Share', isNumber: true, cell: (wave) => percent(wave.vehicles, all) },
          {
            title: 'Not before',
            cell: ({ earliest, number }) =>
              earliest === null ? `after wave ${number - 1}` : <Time at={earliest} />,
          },
          { title: 'Named', isMinor: true, cell: ({ vins }) => vins.join(', ') },
        ]}
        items={waves}
        keyOf={({ number }) => String(number)}
        empty={
          <Empty title="No vehicles match.">
            <p>Change the choice of vehicles.</p>
          </Empty>
        }
      />
      <h3>Installed versions</h3>
      <Table
        label="Versions of the preview"
        columns={[
          { title: 'ECU', cell: ({ ecu }) => ecu },
          { title: 'Installed', cell: ({ version }) => version ?? 'unknown' },
          { title: 'Vehicles', isNumber: true, cell: (row) => count(row.vehicles) },
          {
            title: 'The script',
            cell: ({ accepted }) =>
              accepted === null
                ? 'unknown'
                : accepted
                  ? 'can start from it'
                  : 'refuses it: these vehicles will fail',
          },
        ]}
        items={versions}
        keyOf={({ ecu, version }) => `${ecu} ${String(version)}`}
        empty={<Empty title="No versions are known." />}
      />
    </>
  );
}
