import { useMemo } from 'react';
import type uPlot from 'uplot';
import { type Sample } from '../api/adapter.js';
import { isFinished, notified } from '../states/groups.js';
import { axes } from './axes.js';
import { Plot } from './plot.js';

/** Vehicles a minute between each two samples: that came to an end, and that were sent their trigger. Pure. */
export function perMinute(
  samples: readonly Sample[],
): [times: number[], finished: (number | null)[], sent: (number | null)[]] {
  const finished = ({ states }: Sample) =>
    Object.entries(states).reduce((sum, [state, n]) => (isFinished(state) ? sum + n : sum), 0);
  const times: number[] = [];
  const rates: [(number | null)[], (number | null)[]] = [[], []];
  for (const [place, sample] of samples.entries()) {
    times.push(Date.parse(sample.at) / 1000);
    const before = samples[place - 1];
    const minutes = before ? (Date.parse(sample.at) - Date.parse(before.at)) / 60_000 : 0;
    const rate = (of: (sample: Sample) => number) =>
      before && minutes > 0 ? Math.max(0, of(sample) - of(before)) / minutes : null;
    rates[0].push(rate(finished));
    rates[1].push(rate(({ states }) => notified(states)));
  }
  return [times, ...rates];
}

const options = (colour: (name: string) => string): Omit<uPlot.Options, 'width' | 'height'> => ({
  cursor: { y: false },
  legend: { show: false },
  scales: { y: { range: (_plot, _low, high) => [0, Math.max(1, high)] } },
  axes: axes(colour),
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
      <Plot label="Vehicles a minute over time" data={data} options={options} height={200} />
      <ul className="legend">
        <li>
          <i className="swatch group-success" aria-hidden="true" />
          finished a minute
        </li>
        <li>
          <i className="swatch group-sent" aria-hidden="true" />
          triggers a minute (dashed)
        </li>
      </ul>
    </>
  );
}
