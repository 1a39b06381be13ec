/** For work in many transactions: the first one to commit contains the entry that the work has started. */
import { type Database } from '../database/index.js';
import { recordRequest } from './record-request.js';

/** @param clock ms */
export function recordingFirst(database: Database, clock: () => number): Database {
  let isRecorded = false;
  return {
    ...database,
    transaction: async (work) => {
      const mustRecord = !isRecorded;
      const result = await database.transaction(async (tx) => {
        if (mustRecord) await recordRequest(tx, clock(), { detail: { started: true } });
        return work(tx);
      });
      isRecorded = true;
      return result;
    },
  };
}
