import type uPlot from 'uplot';
import { count } from '../format/numbers.js';

/** Steps of the time axis, seconds; samples are at least a second apart. */
const STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400,
  172_800, 604_800, 2_592_000,
];
const FONT = '12px system-ui, sans-serif';

const SECONDS = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const MINUTES = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const DAYS = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

/** Labels in the user's time zone, as precise as the steps; midnight is labelled with the date. */
function timesOf(_plot: uPlot, ticks: number[], _axis: number, _space: number, step: number) {
  return ticks.map((tick) => {
    const moment = new Date(tick * 1000);
    const isMidnight = moment.getHours() + moment.getMinutes() + moment.getSeconds() === 0;
    if (step >= 86_400 || isMidnight) return DAYS.format(moment);
    return (step < 60 ? SECONDS : MINUTES).format(moment);
  });
}

/** A time axis below, and a number axis on the left. */
export function axes(colour: (name: string) => string): uPlot.Axis[] {
  const look = {
    stroke: colour('muted'),
    font: FONT,
    grid: { stroke: colour('line'), width: 1 },
    ticks: { stroke: colour('line'), width: 1 },
  };
  return [
    { ...look, space: 90, incrs: STEPS, values: timesOf },
    {
      ...look,
      size: 72,
      values: (_plot, ticks) => ticks.map((tick) => (tick % 1 ? String(tick) : count(tick))),
    },
  ];
}

/** Common options of all plots over time: axes, the number axis from 0, no built-in legend. */
export const overTime = (colour: (name: string) => string) =>
  ({
    cursor: { y: false },
    legend: { show: false },
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(1, high)] } },
    axes: axes(colour),
  }) satisfies Partial<uPlot.Options>;
