/** A request that the schedule, as it stands, does not allow. */
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
