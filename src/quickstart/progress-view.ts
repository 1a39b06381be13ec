/** Live view of operations: bars that move in a terminal, plain lines elsewhere. */
import { createLogUpdate } from 'log-update';
import colors from 'picocolors';
import { EVENT_STATUS_NAMES, FAILED_SO_FAR, FINISHED, DELIVERY_STATES } from '../contract/index.js';

export interface ProgressShown {
  readonly 'ref-id': string;
  readonly vehicles: number;
  readonly states: Readonly<Record<string, number>>;
  readonly paused: number;
  readonly finished: number;
  readonly succeeded: number;
  readonly failed: number;
}

export interface ProgressView {
  show(operations: readonly ProgressShown[]): void;
  /** Leaves the last view standing. */
  done(): void;
}

export function progressView(stream: NodeJS.WriteStream): ProgressView {
  return stream.isTTY ? liveView(stream) : plainView(stream);
}

function liveView(stream: NodeJS.WriteStream): ProgressView {
  const update = createLogUpdate(stream);
  return {
    show: (operations) => update(operations.map(bars).join('\n\n')),
    done: () => update.done(),
  };
}

/** A log that is read later needs no more lines than this. */
const PLAIN_EVERY_MS = 2_000;

function plainView(stream: NodeJS.WriteStream): ProgressView {
  const last = new Map<string, string>();
  let latest: readonly ProgressShown[] = [];
  let nextAt = 0;
  const write = () => {
    for (const operation of latest) {
      const line = oneLine(operation);
      if (last.get(operation['ref-id']) === line) continue;
      last.set(operation['ref-id'], line);
      stream.write(`${line}\n`);
    }
  };
  return {
    show(operations) {
      latest = operations;
      if (Date.now() < nextAt) return;
      nextAt = Date.now() + PLAIN_EVERY_MS;
      write();
    },
    done: write,
  };
}

const STATES = [...DELIVERY_STATES, ...EVENT_STATUS_NAMES, 'unknown'];
const BAR_WIDTH = 40;

const present = (operation: ProgressShown) =>
  STATES.map((state) => [state, operation.states[state] ?? 0] as const).filter(
    ([, vehicles]) => vehicles > 0,
  );

/** e.g. `schedule 0909: 2 vehicles, 1 finished (1 succeeded, 0 failed): downloading 1, success 1`. */
function oneLine(operation: ProgressShown): string {
  const states = present(operation).map(([state, vehicles]) => `${state} ${vehicles}`);
  const { vehicles, finished, succeeded, failed } = operation;
  const ended = `${finished} finished (${succeeded} succeeded, ${failed} failed)`;
  return `${operation['ref-id']}: ${vehicles} vehicles, ${ended}: ${states.join(', ')}`;
}

function bars(operation: ProgressShown): string {
  const { vehicles, finished, succeeded, failed, paused } = operation;
  const title = `${operation['ref-id']}  ${finished}/${vehicles} finished, ${succeeded} succeeded, ${failed} failed${paused > 0 ? `, ${paused} paused` : ''}`;
  const rows = present(operation).map(([state, count]) => {
    const filled = Math.max(1, Math.round((count / vehicles) * BAR_WIDTH));
    const bar = colorOf(state)('█'.repeat(filled)) + colors.dim('░'.repeat(BAR_WIDTH - filled));
    return `  ${state.padEnd(18)} ${bar} ${String(count).padStart(6)}`;
  });
  return [colors.bold(title), ...rows].join('\n');
}

function colorOf(state: string) {
  if (state === 'success') return colors.green;
  if (FAILED_SO_FAR.has(state) || state.startsWith('rollback')) return colors.red;
  if (FINISHED.has(state)) return colors.yellow;
  return colors.cyan;
}
