/** Live view of operations: progress bars in a terminal, plain lines elsewhere. */
import colors from 'picocolors';
import { type Operation } from '../contract/adapter-api/index.js';
import { FAILED, FINISHED, resultOf, VEHICLE_STATES } from '../contract/index.js';
import { type Line, type Terminal, TerminalArea } from './terminal-area.js';

export interface ProgressView {
  show(operations: readonly Operation[]): void;
  /** Writes whole lines of text, e.g. of a log, above the view. */
  above(text: string): void;
  /** Stops, leaving the last frame on screen. */
  done(): void;
}

export function progressView(stream: Terminal & { readonly isTTY?: boolean }): ProgressView {
  return stream.isTTY ? liveView(stream) : plainView(stream);
}

function liveView(terminal: Terminal): ProgressView {
  const area = new TerminalArea(terminal);
  return {
    show: (operations) => area.draw(linesOf(operations, area.width, area.height)),
    above: (text) => area.above(text),
    done: () => area.leave(),
  };
}

/** Frequent enough for a log that is read later. */
const PLAIN_EVERY_MS = 2_000;

function plainView(stream: Terminal): ProgressView {
  const last = new Map<string, string>();
  let latest: readonly Operation[] = [];
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
    above: (text) => void stream.write(text),
    done: write,
  };
}

const present = (operation: Operation) =>
  VEHICLE_STATES.map((state) => [state, operation.states[state] ?? 0] as const).filter(
    ([, vehicles]) => vehicles > 0,
  );

/** e.g. `schedule 0909: 2 vehicles, 1 finished (1 succeeded, 0 failed): downloading 1, success 1`. */
function oneLine(operation: Operation): string {
  const states = present(operation).map(([state, vehicles]) => `${state} ${vehicles}`);
  const { vehicles, finished, succeeded, failed } = operation;
  const ended = `${finished} finished (${succeeded} succeeded, ${failed} failed)`;
  return `${operation['ref-id']}: ${vehicles} vehicles, ${ended}: ${states.join(', ')}`;
}

/** Shows bars if there is room: finished operations lose theirs first, then all. */
function linesOf(operations: readonly Operation[], width: number, height: number): Line[] {
  const isOpen = ({ finished, vehicles }: Operation) => finished < vehicles;
  const views = [() => true, isOpen, () => false].map((hasBars) =>
    operations.flatMap((operation) =>
      hasBars(operation) ? [title(operation), ...bars(operation, width)] : [title(operation)],
    ),
  );
  return views.find((lines) => lines.length <= height) ?? views.at(-1) ?? [];
}

function title(operation: Operation): Line {
  const { vehicles, finished, succeeded, failed, paused } = operation;
  const text = `${operation['ref-id']}  ${finished}/${vehicles} finished, ${succeeded} succeeded, ${failed} failed${paused > 0 ? `, ${paused} paused` : ''}`;
  return [{ text, paint: colors.bold }];
}

const NAME_WIDTH = 18;
const COUNT_WIDTH = 7;
const MAX_BAR = 40;
const MIN_BAR = 5;

function bars(operation: Operation, width: number): Line[] {
  const room = width - NAME_WIDTH - COUNT_WIDTH - '    '.length;
  const full = Math.min(MAX_BAR, Math.max(MIN_BAR, room));
  return present(operation).map(([state, count]) => {
    const share = Math.round((count / Math.max(1, operation.vehicles)) * full);
    const filled = Math.min(full, Math.max(1, share));
    return [
      { text: `  ${state.padEnd(NAME_WIDTH)} ` },
      { text: '█'.repeat(filled), paint: colorOf(state) },
      { text: '░'.repeat(full - filled), paint: colors.dim },
      { text: ` ${String(count).padStart(COUNT_WIDTH)}` },
    ];
  });
}

function colorOf(state: string) {
  if (resultOf(state) === 'succeeded') return colors.green;
  if (FAILED.has(state)) return colors.red;
  if (FINISHED.has(state)) return colors.yellow;
  return colors.cyan;
}
