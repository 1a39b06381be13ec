import type uPlot from 'uplot';
import { count } from '../format/numbers.js';

/** Steps of the time axis, seconds: none shorter than one, because samples are not closer. */
const STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400,
  172_800, 604_800, 2_592_000,
];
const FONT = '12px system-ui, sans-serif';

/** Of time below, of a number on the left. */
export function axes(colour: (name: string) => string): uPlot.Axis[] {
  const look = {
    stroke: colour('muted'),
    font: FONT,
    grid: { stroke: colour('line'), width: 1 },
    ticks: { stroke: colour('line'), width: 1 },
  };
  return [
    { ...look, space: 80, incrs: STEPS },
    {
      ...look,
      size: 72,
      values: (_plot, ticks) => ticks.map((tick) => (tick % 1 ? String(tick) : count(tick))),
    },
  ];
}
