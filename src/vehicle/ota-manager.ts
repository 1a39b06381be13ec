/** The OTA manager of a vehicle: does the work of one update and reports how it goes. */
import { type EventStatusName, type MetaField, type OtaTrigger } from '../protocol/index.js';

export type Report = (status: EventStatusName, meta?: readonly MetaField[]) => void;

export interface OtaManager {
  /**
   * Works on one update until it has come to an end.
   *
   * @param report tells the cloud; what is reported while the vehicle is offline is sent later
   * @param signal aborts when the agent stops
   */
  run(trigger: OtaTrigger, report: Report, signal: AbortSignal): Promise<void>;
}
