/** The time range of a filter: pure. */
import { parseTimestamp } from '../../contract/index.js';

/** ms; undefined: unlimited. */
export interface TimeRange {
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** @param filter validated query parameters or body fields */
export const timeRange = ({ from, to }: { from?: string; to?: string }): TimeRange => ({
  from: from === undefined ? undefined : parseTimestamp(from),
  to: to === undefined ? undefined : parseTimestamp(to),
});
