/** Update scripts: validated, never changed. */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type FieldError, type Scopes } from '../../contract/index.js';
import { modelInScope, scopesParameter } from '../../service/access/index.js';
import { recordRequest } from '../../service/audit/index.js';
import { type Database, type Queryable, textArray } from '../../service/database/index.js';
import { type UpdateScript } from '../../update-script/index.js';
import {
  lockUploads,
  QuotaExceeded,
  scriptFault,
  type UploadQuota,
  usedRoom,
} from '../artifacts/index.js';

export interface ScriptRow {
  readonly script_ref_id: string;
  readonly model: string;
  readonly script: UpdateScript;
  readonly created_at: Date;
  /** SHA-256 of the approved file; null: none was approved. */
  readonly approved_sha256: string | null;
  readonly approved_at: Date | null;
}

/** The file that is the script's target, as vehicles fetch it. */
export const scriptFile = (script: UpdateScript): Buffer => Buffer.from(JSON.stringify(script));

/** A script that was published, and the SHA-256 of its file. */
export interface StoredScript {
  readonly script: UpdateScript;
  readonly sha256: string;
}

export const storedScript = (script: UpdateScript): StoredScript => ({
  script,
  sha256: createHash('sha256').update(scriptFile(script)).digest('hex'),
});

const COLUMNS = 'script_ref_id, model, script, created_at, approved_sha256, approved_at';

/** Another script with this script-ref-id exists. */
export class ScriptExists extends Error {
  override readonly name = 'ScriptExists';
}

/** Errors in a script's statements about its artifacts. */
export async function artifactErrors(
  database: Queryable,
  { ecus }: UpdateScript,
): Promise<FieldError[]> {
  const rows = await database.query<{ sha256: string; md5: string; size: number }>(
    // In a transaction, none of them is deleted before it ends.
    'select sha256, md5, size from artifacts where sha256 = any($1::text[]) for key share',
    [textArray(ecus.map(({ artifact }) => artifact.sha256))],
  );
  const artifacts = new Map(rows.map((row) => [row.sha256, row]));
  return ecus.flatMap(({ artifact }, place) => {
    const path = `/ecus/${place}/artifact`;
    const stored = artifacts.get(artifact.sha256);
    if (!stored) return [{ path: `${path}/sha256`, message: 'there is no such artifact' }];
    return (['md5', 'size'] as const).flatMap((field): FieldError[] =>
      stored[field] === artifact[field]
        ? []
        : [{ path: `${path}/${field}`, message: `must be ${stored[field]}` }],
    );
  });
}

/**
 * Stores a script. Publishing the same script again returns the stored one.
 *
 * @returns errors in its statements about artifacts, which may have been deleted since the check
 * @throws ScriptExists if the script-ref-id exists with different content; QuotaExceeded
 */
export async function publishScript(
  tx: Queryable,
  script: UpdateScript,
  { by, now, quota }: Publication,
): Promise<{ row: ScriptRow; isNew: boolean } | { errors: readonly FieldError[] }> {
  await lockUploads(tx);
  const errors = await artifactErrors(tx, script);
  if (errors.length > 0) return { errors };
  const scriptRefId = script['script-ref-id'];
  const [made] = await tx.query<ScriptRow>(
    `insert into update_scripts (script_ref_id, model, script, created_at, created_by)
     values ($1, $2, $3, $4, $5) on conflict do nothing returning ${COLUMNS}`,
    [scriptRefId, script.model, JSON.stringify(script), new Date(now), by],
  );
  if (made) {
    await tx.query(
      'insert into script_artifacts (script_ref_id, sha256) select $1, unnest($2::text[])',
      [scriptRefId, textArray([...new Set(script.ecus.map(({ artifact }) => artifact.sha256))])],
    );
    const fault = scriptFault((await usedRoom(tx)).scripts, quota);
    if (fault !== undefined) throw new QuotaExceeded('script-quota', fault);
    return { row: made, isNew: true };
  }
  const row = await findScript(tx, scriptRefId);
  if (!row || !isDeepStrictEqual(row.script, script)) {
    throw new ScriptExists(
      `script '${scriptRefId}' exists with different content: scripts never change`,
    );
  }
  return { row, isNew: false };
}

interface Publication {
  /** Id of the token. */
  readonly by: string;
  /** ms */
  readonly now: number;
  readonly quota: UploadQuota;
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
  { after, limit, scopes }: { after: string; limit: number; scopes: Scopes },
): Promise<ScriptRow[]> =>
  database.query<ScriptRow>(
    `select ${COLUMNS} from update_scripts where script_ref_id > $1 and ${modelInScope('model', '$3')}
     order by script_ref_id limit $2`,
    [after, limit, scopesParameter(scopes)],
  );

/**
 * Approves a script that has this SHA-256. Repeating it changes nothing.
 *
 * @param isOwnAllowed whether its author may
 * @returns the reason for a refusal
 */
export async function approveScript(
  database: Database,
  scriptRefId: string,
  { by, sha256, isOwnAllowed }: ScriptApproval,
  now: number,
): Promise<'approved' | 'unknown' | 'own' | { readonly sha256: string }> {
  return database.transaction(async (tx) => {
    const [row] = await tx.query<{ script: UpdateScript; created_by: string }>(
      'select script, created_by from update_scripts where script_ref_id = $1 for update',
      [scriptRefId],
    );
    if (!row) return 'unknown';
    if (!isOwnAllowed && row.created_by === by) return 'own';
    const stored = storedScript(row.script);
    if (stored.sha256 !== sha256) return { sha256: stored.sha256 };
    await tx.query(
      `update update_scripts set approved_at = $2, approved_by = $3, approved_sha256 = $4
       where script_ref_id = $1 and approved_sha256 is distinct from $4`,
      [scriptRefId, new Date(now), by, sha256],
    );
    await recordRequest(tx, now, { subject: scriptRefId, detail: { sha256 } });
    return 'approved';
  });
}

interface ScriptApproval {
  /** Id of the token. */
  readonly by: string;
  readonly sha256: string;
  readonly isOwnAllowed: boolean;
}
