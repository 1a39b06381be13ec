/** Deletes an update script that nothing uses. */
import { recordRequest } from '../../service/audit/index.js';
import { type Database } from '../../service/database/index.js';
import { storedScript } from './scripts.js';
import { type UpdateScript } from '../../update-script/index.js';

/** Users beyond these are not named. */
const MOST_NAMED = 20;

/**
 * A script is also in use by ended schedules, whose records refer to it.
 *
 * @param targets paths under which published or proposed metadata of the image repository lists the script; nothing may be
 * proposed in the meantime
 * @param now ms
 * @returns the uses that prevent deletion, in words
 */
export function deleteScript(
  database: Database,
  scriptRefId: string,
  targets: readonly string[],
  now: number,
): Promise<'deleted' | 'unknown' | { readonly users: readonly string[] }> {
  return database.transaction(async (tx) => {
    // Serializes with transactions that plan a schedule with the script.
    const [row] = await tx.query<{ script: UpdateScript }>(
      'select script from update_scripts where script_ref_id = $1 for update',
      [scriptRefId],
    );
    if (!row) return 'unknown';
    const schedules = await tx.query<{ ref_id: string }>(
      'select ref_id from schedules where script_ref_id = $1 order by ref_id limit $2',
      [scriptRefId, MOST_NAMED],
    );
    const users = [
      ...schedules.map(({ ref_id }) => `the schedule ${ref_id}`),
      ...targets.map((path) => `the target ${path}`),
    ];
    if (users.length > 0) return { users };
    const { sha256 } = storedScript(row.script);
    await tx.query('delete from update_scripts where script_ref_id = $1', [scriptRefId]);
    await recordRequest(tx, now, { subject: scriptRefId, detail: { sha256 } });
    return 'deleted';
  });
}
