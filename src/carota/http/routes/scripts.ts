/** `/v1.0/update-scripts`: what a `script-ref-id` stands for. */
import Type from 'typebox';
import { type FieldError, Identifier } from '../../../contract/index.js';
import {
  callerOf,
  describeRoute,
  invalid,
  json,
  listCursor,
  notFound,
  page,
  pageOf,
  PageQuery,
  Problem,
  ProblemBody,
  type Server,
  Time,
} from '../../../service/http/index.js';
import {
  CertificateRefused,
  ScriptDelivery,
  UpdateScript,
  validateScript,
} from '../../../update-script/index.js';
import {
  artifactErrors,
  findScript,
  listScripts,
  publishScript,
  ScriptExists,
  type ScriptRow,
} from '../../scripts/index.js';
import { type CarotaContext } from '../context.js';
import { artifactUrl } from './artifacts.js';

const PublishedScript = Type.Object(
  {
    script: UpdateScript,
    createdAt: Time,
    jws: Type.String({ description: 'Signed (RFC 7515).' }),
  },
  { title: 'PublishedScript' },
);
const Verdict = Type.Object({ valid: Type.Boolean(), errors: ProblemBody.properties.errors });
const IdParams = Type.Object({ scriptRefId: Identifier('script-ref-id of the script.') });
const tags = ['Update scripts'];
const SCRIPTS = listCursor('update-scripts', /^.{1,256}$/u);

/** Whatever is asked about. */
const AnyBody = Type.Unknown({ description: 'What should be an UpdateScript.' });

export function scriptRoutes(server: Server, context: CarotaContext): void {
  const { database, signer, clock } = context;
  server.post(
    '/v1.0/update-scripts',
    describeRoute('plan', {
      tags,
      summary: 'Sign and publish an update script',
      description: 'It never changes: the same again is answered as it is, another one is refused.',
      body: UpdateScript,
      response: {
        200: json(PublishedScript, 'It was there.'),
        201: json(PublishedScript, 'Published.'),
      },
    }),
    async (request, reply) => {
      const script = await checked(request.body, context);
      if (!('ecus' in script)) throw invalid(script);
      try {
        const by = callerOf(request).id;
        const { row, isNew } = await publishScript(database, script, signer, by, clock());
        return await reply.code(isNew ? 201 : 200).send(scriptBody(row));
      } catch (error) {
        if (error instanceof ScriptExists) throw new Problem(409, 'SCRIPT_EXISTS', error.message);
        if (error instanceof CertificateRefused) {
          throw new Problem(503, 'CANNOT_SIGN', `the server cannot sign: ${error.message}`);
        }
        throw error;
      }
    },
  );

  server.post(
    '/v1.0/update-scripts/validate',
    describeRoute('plan', {
      tags,
      summary: 'What is wrong with an update script, and where',
      body: AnyBody,
      response: { 200: json(Verdict, 'The verdict.') },
    }),
    async ({ body }) => {
      const script = await checked(body, context);
      return 'ecus' in script ? { valid: true, errors: [] } : { valid: false, errors: script };
    },
  );

  server.get<{ Querystring: Type.Static<typeof PageQuery> }>(
    '/v1.0/update-scripts',
    describeRoute('read', {
      tags,
      summary: 'List update scripts',
      querystring: PageQuery,
      response: { 200: json(pageOf(PublishedScript), 'One page.') },
    }),
    async ({ query: { limit, cursor } }) => {
      const rows = await listScripts(database, SCRIPTS.read(cursor) ?? '', limit);
      return page(rows, limit, SCRIPTS, ({ script_ref_id }) => script_ref_id, scriptBody);
    },
  );

  server.get<{ Params: { scriptRefId: string } }>(
    '/v1.0/update-scripts/:scriptRefId',
    describeRoute('read', {
      tags,
      summary: 'An update script',
      params: IdParams,
      response: { 200: json(PublishedScript, 'It.') },
    }),
    async ({ params: { scriptRefId } }) => scriptBody(await known(context, scriptRefId)),
  );

  server.get<{ Params: { scriptRefId: string } }>(
    '/v1.0/update-scripts/:scriptRefId/delivery',
    describeRoute('fetch', {
      tags,
      summary: 'What a vehicle fetches: the signed script, and where its artifacts can be had',
      params: IdParams,
      response: { 200: json(ScriptDelivery, 'It.') },
    }),
    async ({ params: { scriptRefId } }) => {
      const { jws, script } = await known(context, scriptRefId);
      const urls = script.ecus.map(({ artifact: { sha256 } }) => [
        sha256,
        artifactUrl(sha256, context),
      ]);
      return { script: jws, artifacts: Object.fromEntries(urls) as Record<string, string> };
    },
  );
}

/** The script, or everything that is wrong with it. */
async function checked(
  body: unknown,
  { database }: CarotaContext,
): Promise<UpdateScript | readonly FieldError[]> {
  const script = validateScript(body);
  if (!('ecus' in script)) return script;
  const errors = await artifactErrors(database, script);
  return errors.length > 0 ? errors : script;
}

async function known({ database }: CarotaContext, scriptRefId: string): Promise<ScriptRow> {
  const script = await findScript(database, scriptRefId);
  if (!script) throw notFound('SCRIPT_NOT_FOUND', `there is no update script '${scriptRefId}'`);
  return script;
}

const scriptBody = ({ script, jws, created_at }: ScriptRow) => ({
  script,
  jws,
  createdAt: created_at,
});
