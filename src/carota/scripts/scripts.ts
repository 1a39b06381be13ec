/** Update scripts: validated, signed once, and never changed. */
import { isDeepStrictEqual } from 'node:util';
import { type FieldError } from '../../contract/index.js';
import { type Queryable, textArray } from '../../service/database/index.js';
import { type Signer, signScript, type UpdateScript } from '../../update-script/index.js';

export interface ScriptRow {
  readonly script_ref_id: string;
  readonly model: string;
  readonly script: UpdateScript;
  readonly jws: string;
  readonly created_at: Date;
}

const COLUMNS = 'script_ref_id, model, script, jws, created_at';

/** There is another script of that name. */
export class ScriptExists extends Error {
  override readonly name = 'ScriptExists';
}

/** What a script says of artifacts, and is not so. */
export async function artifactErrors(
  database: Queryable,
  { ecus }: UpdateScript,
): Promise<FieldError[]> {
  const rows = await database.query<{ sha256: string; md5: string; size: number }>(
    'select sha256, md5, size from artifacts where sha256 = any($1::text[])',
    [textArray(ecus.map(({ artifact }) => artifact.sha256))],
  );
  const known = new Map(rows.map((row) => [row.sha256, row]));
  return ecus.flatMap(({ artifact }, place) => {
    const path = `/ecus/${place}/artifact`;
    const is = known.get(artifact.sha256);
    if (!is) return [{ path: `${path}/sha256`, message: 'there is no such artifact' }];
    const errors: FieldError[] = [];
    if (is.md5 !== artifact.md5) errors.push({ path: `${path}/md5`, message: `is ${is.md5}` });
    if (is.size !== artifact.size) errors.push({ path: `${path}/size`, message: `is ${is.size}` });
    return errors;
  });
}

/**
 * Signs and stores a script. The same again is answered as it is.
 *
 * @throws ScriptExists where that script-ref-id has another content
 */
export async function publishScript(
  database: Queryable,
  script: UpdateScript,
  signer: Signer,
  by: string,
  now: number,
): Promise<{ row: ScriptRow; isNew: boolean }> {
  const scriptRefId = script['script-ref-id'];
  const jws = await signScript(script, signer, now);
  const [made] = await database.query<ScriptRow>(
    `insert into update_scripts (script_ref_id, model, script, jws, created_at, created_by)
     values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning ${COLUMNS}`,
    [scriptRefId, script.model, JSON.stringify(script), jws, new Date(now), by],
  );
  if (made) return { row: made, isNew: true };
  const row = await findScript(database, scriptRefId);
  if (!row || !isDeepStrictEqual(row.script, script)) {
    throw new ScriptExists(`there is another script '${scriptRefId}': scripts never change`);
  }
  return { row, isNew: false };
}

export async function findScript(
  database: Queryable,
  scriptRefId: string,
): Promise<ScriptRow | undefined> {
  const rows = await database.query<ScriptRow>(
    `select ${COLUMNS} from update_scripts where script_ref_id = $1`,
    [scriptRefId],
  );
  return rows[0];
}

export const listScripts = (
  database: Queryable,
  after: string,
  limit: number,
): Promise<ScriptRow[]> =>
  database.query<ScriptRow>(
    `select ${COLUMNS} from update_scripts where script_ref_id > $1 order by script_ref_id limit $2`,
    [after, limit],
  );
