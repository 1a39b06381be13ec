import { useMemo } from 'react';
import type uPlot from 'uplot';
import { type GuardTest } from '../../contract/carota-api/index.js';
import { count } from '../format/numbers.js';
import { axes } from './axes.js';
import { guardCurves } from './guard-curves.js';
import { Plot } from './plot.js';

/** A line without points, as it is not measured. */
const BOUND = { width: 2, dash: [8, 4], points: { show: false } };
const COUNTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];

const options = (colour: (name: string) => string): Omit<uPlot.Options, 'width' | 'height'> => {
  const [x, y] = axes(colour);
  return {
    cursor: { y: false },
    legend: { show: false },
    scales: {
      x: { time: false, range: (_plot, low, high) => [low, Math.max(high, low + 10)] },
      y: { range: (_plot, low, high) => [low - 0.5, high + 0.5] },
    },
    axes: [
      {
        ...x,
        incrs: COUNTS,
        values: (_plot, ticks) => ticks.map(count),
        label: 'vehicles finished',
        labelSize: 20,
      },
      { ...y, size: 48 },
    ],
    series: [
      {},
      { label: 'evidence', stroke: colour('accent'), width: 2, points: { show: true, size: 5 } },
      { label: 'stop', stroke: colour('group-failed'), ...BOUND },
      { label: 'go', stroke: colour('group-success'), ...BOUND },
    ],
  };
};

export function GuardPlot({ test, fromWave }: { test: GuardTest; fromWave: number }) {
  const data = useMemo<uPlot.AlignedData>(() => guardCurves(test, fromWave), [test, fromWave]);
  const now = test.path.findLast((point) => point.fromWave === fromWave)?.evidence ?? 0;
  const text = `Evidence of the guard: ${now.toFixed(2)}; stop bound ${test.stopAt.toFixed(2)}, go bound ${test.goAt.toFixed(2)}`;
  return (
    <>
      <Plot label={text} data={data} options={options} />
      <ul className="legend">
        <li>
          <i className="swatch accent" aria-hidden="true" />
          evidence <b>{now.toFixed(2)}</b>
        </li>
        <li>
          <i className="swatch group-failed" aria-hidden="true" />
          stop bound <b>{test.stopAt.toFixed(2)}</b>
        </li>
        <li>
          <i className="swatch group-success" aria-hidden="true" />
          go bound <b>{test.goAt.toFixed(2)}</b>
        </li>
      </ul>
    </>
  );
}
