/** Figures as a table for people and as JSON for programs. */
import { cpus, loadavg, totalmem } from 'node:os';

export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The reference value. */
  readonly target?: { readonly value: number; readonly atLeast: boolean };
}

export const atLeast = (value: number) => ({ value, atLeast: true });
export const atMost = (value: number) => ({ value, atLeast: false });

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** @param rank 0 to 100; the nearest value that was seen */
export function percentile(values: readonly number[], rank: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const index = Math.min(sorted.length - 1, Math.floor((rank / 100) * sorted.length));
  return sorted[index] ?? NaN;
}

/** Whether a figure reaches its target; undefined if it has none. */
export function isReached({ value, target }: Figure): boolean | undefined {
  if (!target) return undefined;
  return target.atLeast ? value >= target.value : value <= target.value;
}

/** The machine, and its other load, which must be measured before anything is started. */
export function machine(now: Date): string {
  const [first] = cpus();
  const [load = 0] = loadavg();
  return [
    `${cpus().length} cores (${first?.model.trim() ?? 'unknown'})`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `Node ${process.version}`,
    now.toISOString().slice(0, 10),
    `load average before ${load.toFixed(1)}`,
  ].join(', ');
}

export function table(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.what,
    `${round(figure.value)} ${figure.unit}`,
    figure.target
      ? `${figure.target.atLeast ? '≥' : '≤'} ${round(figure.target.value)} ${figure.unit}`
      : '',
    { true: 'reached', false: 'MISSED', undefined: '' }[String(isReached(figure))] ?? '',
  ]);
  const all = [['measured', 'median', 'target', ''], ...rows];
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...all.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  const [head = [], ...body] = all;
  return [line(head), rule, ...body.map(line)].join('\n');
}

function round(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
