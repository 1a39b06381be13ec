import { useMemo } from 'react';
import type uPlot from 'uplot';
import { type Sample } from '../../contract/adapter-api/index.js';
import { GROUPS } from '../states/groups.js';
import { overTime } from './axes.js';
import { Plot, type PlotOptions } from './plot.js';
import { stacked } from './samples.js';

/** The areas are drawn from the highest sum down, each over the previous one. */
const options = (colour: (name: string) => string): PlotOptions => ({
  ...overTime(colour),
  series: [
    {},
    ...GROUPS.toReversed().map(({ id, label }) => ({
      label,
      fill: colour(`group-${id}`),
      stroke: colour('surface'),
      width: 0.5,
      points: { show: false },
    })),
  ],
});

export function StatesOverTime({ samples }: { samples: readonly Sample[] }) {
  const data = useMemo<uPlot.AlignedData>(() => {
    const [times, ...sums] = stacked(samples);
    return [times, ...sums.toReversed()];
  }, [samples]);
  return <Plot label="Vehicles by state over time, stacked" data={data} options={options} />;
}
