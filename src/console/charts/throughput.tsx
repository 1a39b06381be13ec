import { useMemo } from 'react';
import type uPlot from 'uplot';
import { type Sample } from '../../contract/adapter-api/index.js';
import { overTime } from './axes.js';
import { Plot, type PlotOptions } from './plot.js';
import { perMinute } from './samples.js';

const options = (colour: (name: string) => string): PlotOptions => ({
  ...overTime(colour),
  series: [
    {},
    { label: 'finished', stroke: colour('group-success'), width: 2 },
    { label: 'sent', stroke: colour('group-sent'), width: 2, dash: [6, 4] },
  ],
});

export function Throughput({ samples }: { samples: readonly Sample[] }) {
  const data = useMemo<uPlot.AlignedData>(() => perMinute(samples), [samples]);
  return (
    <>
      <Plot label="Vehicles per minute over time" data={data} options={options} height={200} />
      <ul className="legend">
        <li>
          <i className="swatch group-success" aria-hidden="true" />
          finished per minute
        </li>
        <li>
          <i className="swatch group-sent" aria-hidden="true" />
          triggers per minute (dashed)
        </li>
      </ul>
    </>
  );
}
