/** A request that the schedule's current status does not allow. */
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
