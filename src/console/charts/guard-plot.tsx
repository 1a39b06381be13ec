import { useMemo } from 'react';
import type uPlot from 'uplot';
import { type GuardTest } from '../../contract/carota-api/index.js';
import { count } from '../format/numbers.js';
import { axes } from './axes.js';
import { guardCurves } from './guard-curves.js';
import { Plot } from './plot.js';

/** A line without points, because it is not measured. */
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
        label: 'vehicles in the order of exposure',
        labelSize: 20,
      },
      { ...y, size: 48 },
    ],
    series: [
      {},
      { label: 'optimistic', stroke: colour('accent'), width: 2, points: { show: false } },
      { label: 'pessimistic', stroke: colour('group-waiting'), width: 2, points: { show: false } },
      { label: 'stop', stroke: colour('group-failed'), ...BOUND },
      { label: 'go', stroke: colour('group-success'), ...BOUND },
    ],
  };
};

/** Paths with undecided vehicles counted as successes and as failures. */
export function GuardPlot({ test }: { test: GuardTest }) {
  const data = useMemo<uPlot.AlignedData>(() => {
    const { vehicles, optimistic, pessimistic, stop, go } = guardCurves(test);
    return [vehicles, optimistic, pessimistic, stop, go];
  }, [test]);
  const last = test.path.at(-1);
  const values = [
    { name: 'optimistic path', swatch: 'accent', value: last?.optimistic ?? 0 },
    { name: 'pessimistic path', swatch: 'group-waiting', value: last?.pessimistic ?? 0 },
    { name: 'stop bound', swatch: 'group-failed', value: test.stopAt },
    { name: 'go bound', swatch: 'group-success', value: test.goAt },
  ];
  const text = values.map(({ name, value }) => `${name} ${value.toFixed(2)}`).join(', ');
  return (
    <>
      <Plot label={`Evidence of the guard: ${text}`} data={data} options={options} />
      <ul className="legend">
        {values.map(({ name, swatch, value }) => (
          <li key={name}>
            <i className={`swatch ${swatch}`} aria-hidden="true" />
            {name} <b>{value.toFixed(2)}</b>
          </li>
        ))}
      </ul>
    </>
  );
}
