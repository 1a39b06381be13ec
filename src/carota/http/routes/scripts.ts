/** `/v1.0/update-scripts`: the scripts that a `script-ref-id` refers to. */
import { Readable } from 'node:stream';
import { type FieldError } from '../../../contract/index.js';
import {
  type PublishedScript,
  type ScriptVerdict,
  updateScriptApi,
} from '../../../contract/carota-api/index.js';
import {
  callerOf,
  invalid,
  listCursor,
  page,
  Problem,
  scopesOf,
  serve,
  type Served,
  type Server,
} from '../../../service/http/index.js';
import { type UpdateScript, validateScript } from '../../../update-script/index.js';
import { recordRequest } from '../../../service/audit/index.js';
import {
  approveScript,
  artifactErrors,
  deleteScript,
  findScript,
  listScripts,
  publishScript,
  scriptFile,
  ScriptExists,
  storedScript,
  type ScriptRow,
} from '../../scripts/index.js';
import { type CarotaContext } from '../context.js';
import { refuseOtherScripts } from '../own-vehicle.js';
import { addTargetOf, checkedHardware, type TargetFacts } from '../target.js';
import { unknownScript } from '../unknown.js';
import { inUse, quotaProblem, whileListed } from '../uploads.js';
import { artifactUrl } from './artifacts.js';

const SCRIPTS = listCursor('update-scripts', /^.{1,256}$/u);

export function scriptRoutes(server: Server, context: CarotaContext): void {
  const { database, clock, uploads, images } = context;

  serve(server, updateScriptApi.publishScript, async ({ request, reply, query, body }) => {
    checkedHardware(query);
    const script = await checked(body, context);
    if (!('ecus' in script)) throw invalid(script);
    try {
      const by = callerOf(request).id;
      const now = clock();
      const { row, isNew } = await database.transaction(async (tx) => {
        const published = await publishScript(tx, script, { by, now, quota: uploads.quota });
        if ('errors' in published) throw invalid(published.errors);
        const { sha256 } = storedScript(script);
        const detail = { sha256, isNew: published.isNew };
        await recordRequest(tx, now, { subject: script['script-ref-id'], detail });
        return published;
      });
      if (isNew) reply.code(201);
      const target = await scriptTarget(context, row, query, by);
      return { ...scriptBody(row), ...(target ? { target } : {}) };
    } catch (error) {
      if (error instanceof ScriptExists) throw new Problem('SCRIPT_EXISTS', error.message);
      throw quotaProblem(context, error);
    }
  });

  serve(
    server,
    updateScriptApi.validateScript,
    async ({ body }): Promise<Served<ScriptVerdict>> => {
      const script = await checked(body, context);
      return 'ecus' in script ? { valid: true, errors: [] } : { valid: false, errors: script };
    },
  );

  serve(server, updateScriptApi.listScripts, async ({ request, query: { limit, cursor } }) => {
    const rows = await listScripts(context.reading, {
      after: SCRIPTS.read(cursor) ?? '',
      limit,
      scopes: scopesOf(request),
    });
    return page(rows, limit, SCRIPTS, ({ script_ref_id }) => script_ref_id, scriptBody);
  });

  serve(server, updateScriptApi.getScript, async ({ params: { 'script-ref-id': scriptRefId } }) =>
    scriptBody(await publishedScript(context, scriptRefId)),
  );

  serve(server, updateScriptApi.approveScript, async ({ request, params, body }) => {
    const { 'script-ref-id': scriptRefId } = params;
    const how = {
      by: callerOf(request).id,
      sha256: body.digest,
      isOwnAllowed: context.approval !== 'second-person',
    };
    const outcome = await approveScript(database, scriptRefId, how, clock());
    if (outcome === 'own') {
      const message = 'the author cannot approve the script: a second person must';
      throw new Problem('SECOND_PERSON_NEEDED', message);
    }
    if (typeof outcome === 'object') {
      const message = `the script's SHA-256 is ${outcome.sha256}, not ${body.digest}`;
      throw new Problem('DIGEST_MISMATCH', message);
    }
    return scriptBody(await publishedScript(context, scriptRefId));
  });

  serve(
    server,
    updateScriptApi.deleteScript,
    async ({ params: { 'script-ref-id': scriptRefId } }) => {
      await publishedScript(context, scriptRefId);
      const target = scriptPath(scriptRefId);
      const outcome = await whileListed(
        images,
        (path) => path === target,
        (targets) => deleteScript(database, scriptRefId, targets, clock()),
      );
      if (outcome === 'unknown') throw unknownScript(scriptRefId);
      if (outcome !== 'deleted') throw inUse(`update script ${scriptRefId}`, outcome.users);
    },
  );

  serve(
    server,
    updateScriptApi.locateArtifacts,
    async ({ request, params: { 'script-ref-id': scriptRefId } }) => {
      await refuseOtherScripts(request, database, scriptRefId);
      const { script } = await publishedScript(context, scriptRefId);
      const urls = script.ecus.map(
        ({ artifact: { sha256 } }) => [sha256, artifactUrl(sha256, context)] as const,
      );
      return { artifacts: Object.fromEntries(urls) };
    },
  );
}

const scriptPath = (scriptRefId: string) => `scripts/${scriptRefId}.json`;

/** The script's JSON is stored as an artifact for vehicles to fetch. */
async function scriptTarget(
  context: CarotaContext,
  { script_ref_id: scriptRefId, script }: ScriptRow,
  facts: TargetFacts,
  by: string,
) {
  if (checkedHardware(facts) === undefined) return undefined;
  const path = scriptPath(scriptRefId);
  const bytes = scriptFile(script);
  const said = { name: path, by, size: bytes.length };
  const { sha256 } = await context.uploads.take(Readable.from([bytes]), said);
  return addTargetOf(context, sha256, path, facts);
}

/** The validated script, or all its errors. */
async function checked(
  body: unknown,
  { database }: CarotaContext,
): Promise<UpdateScript | readonly FieldError[]> {
  const script = validateScript(body);
  if (!('ecus' in script)) return script;
  const errors = await artifactErrors(database, script);
  return errors.length > 0 ? errors : script;
}

async function publishedScript(
  { database }: CarotaContext,
  scriptRefId: string,
): Promise<ScriptRow> {
  const script = await findScript(database, scriptRefId);
  if (!script) throw unknownScript(scriptRefId);
  return script;
}

function scriptBody({
  script,
  created_at,
  approved_at,
  approved_sha256,
}: ScriptRow): Served<PublishedScript> {
  const { sha256 } = storedScript(script);
  const approvedAt = approved_sha256 === sha256 ? approved_at : null;
  return { script, createdAt: created_at, sha256, approvedAt };
}
