/** Rejected lines of an import for people, grouped by reason. Pure. */
import { type RejectedLine } from './line-import.js';

/** Lines of an import rejected with the same code and message. */
export interface RejectionGroup {
  readonly errorCode: string;
  readonly errorMessage: string;
  /** How many. */
  readonly lines: number;
  /** Line numbers, e.g. `2-1001, 1003`; only the first few ranges of many. */
  readonly ranges: string;
}

const MAX_RANGES = 5;

/** The most frequent one first; of equals the one that came first. */
export function rejectionGroups(rejected: readonly RejectedLine[]): RejectionGroup[] {
  const groups = new Map<string, RejectedLine[]>();
  for (const line of rejected) {
    const key = JSON.stringify([line.errorCode, line.errorMessage]);
    const group = groups.get(key);
    if (group) group.push(line);
    else groups.set(key, [line]);
  }
  return Array.from(groups.values(), (group) => ({
    errorCode: group[0]?.errorCode ?? '',
    errorMessage: group[0]?.errorMessage ?? '',
    lines: group.length,
    ranges: rangesOf(group.map(({ line }) => line)),
  })).sort((one, other) => other.lines - one.lines);
}

/** @param lines ascending */
function rangesOf(lines: readonly number[]): string {
  const ranges: { first: number; last: number }[] = [];
  for (const line of lines) {
    const range = ranges.at(-1);
    if (range?.last === line - 1) range.last = line;
    else ranges.push({ first: line, last: line });
  }
  const texts = ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
  return texts.length <= MAX_RANGES
    ? texts.join(', ')
    : `${texts.slice(0, MAX_RANGES).join(', ')} …`;
}
