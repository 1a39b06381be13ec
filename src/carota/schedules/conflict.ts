/** A request that is not allowed in the schedule's present state. */
import { type ErrorCode } from '../../contract/index.js';

export class ScheduleConflict extends Error {
  override readonly name = 'ScheduleConflict';

  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
  }
}
