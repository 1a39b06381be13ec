/** `/v1.0/artifacts`: the files that are installed. */
import { type FastifyReply, type FastifyRequest } from 'fastify';
import Type from 'typebox';
import {
  bytesBody,
  callerOf,
  describeRoute,
  empty,
  json,
  listCursor,
  notFound,
  page,
  pageOf,
  PageQuery,
  Problem,
  type Server,
  streamIn,
  takeBytes,
  Time,
} from '../../../service/http/index.js';
import { MAX_UNIX_SECONDS, Pattern, Text } from '../../../contract/index.js';
import {
  ArtifactRefused,
  type ArtifactRow,
  findArtifact,
  isSigned,
  listArtifacts,
  requestedRange,
  signedPath,
  takeArtifact,
} from '../../artifacts/index.js';
import { Sha256 } from '../../../update-script/index.js';
import { type CarotaContext } from '../context.js';

const StoredArtifact = Type.Object(
  {
    sha256: Type.String(),
    md5: Type.String(),
    size: Type.Integer({ description: 'Bytes.' }),
    name: Type.String(),
    createdAt: Time,
    url: Type.String({ description: 'Holds for a while, for whoever has it.' }),
  },
  { title: 'StoredArtifact' },
);
const Sha256Params = Type.Object({ sha256: Sha256 });
const NewArtifactQuery = Type.Object({
  name: Type.Optional(Text(256, 'For people.')),
  sha256: Type.Optional(Sha256),
});
const SignedQuery = Type.Object({
  expires: Type.Integer({
    minimum: 0,
    maximum: MAX_UNIX_SECONDS,
    description: 'Unix time, seconds.',
  }),
  signature: Pattern('^[A-Za-z0-9_-]{1,100}$', 'must be the signature of a URL made here'),
});
const tags = ['Artifacts'];
const ARTIFACTS = listCursor('artifacts', /^[0-9a-f]{64}$/);

const bytes = (description: string) => ({
  description,
  content: { 'application/octet-stream': { schema: Type.String() } },
});

/** The bytes of an artifact never change. */
const CACHE = 'public, max-age=31536000, immutable';

export function artifactRoutes(server: Server, context: CarotaContext): void {
  const { database } = context;
  server.get<{ Querystring: Type.Static<typeof PageQuery> }>(
    '/v1.0/artifacts',
    describeRoute('read', {
      tags,
      summary: 'List artifacts',
      querystring: PageQuery,
      response: { 200: json(pageOf(StoredArtifact), 'One page.') },
    }),
    async ({ query: { limit, cursor } }) => {
      const rows = await listArtifacts(database, ARTIFACTS.read(cursor) ?? '', limit);
      return page(
        rows,
        limit,
        ARTIFACTS,
        ({ sha256 }) => sha256,
        (row) => artifactBody(row, context),
      );
    },
  );

  server.get<{ Params: { sha256: string } }>(
    '/v1.0/artifacts/:sha256',
    describeRoute('read', {
      tags,
      summary: 'An artifact, and where it can be had',
      params: Sha256Params,
      response: { 200: json(StoredArtifact, 'It.') },
    }),
    async ({ params: { sha256 } }) => artifactBody(await known(context, sha256), context),
  );

  contentRoutes(server, context);
  // In a scope of its own: here alone any content is taken, as it is.
  server.register((scope, _options, done) => {
    uploadRoute(scope, context);
    done();
  });
}

function uploadRoute(scope: Server, context: CarotaContext): void {
  takeBytes(scope);
  scope.post<{ Querystring: Type.Static<typeof NewArtifactQuery> }>(
    '/v1.0/artifacts',
    {
      bodyLimit: Number.MAX_SAFE_INTEGER,
      ...describeRoute('plan', {
        tags,
        summary: 'Upload an artifact: its bytes as the body, of any size',
        description:
          'The same bytes again are the same artifact. With `sha256` an upload that was damaged on its way is refused.',
        querystring: NewArtifactQuery,
        body: bytesBody('The bytes of the artifact.'),
        response: { 201: json(StoredArtifact, 'Stored.') },
      }),
    },
    async (request, reply) => {
      const { store, incoming, clock, database } = context;
      try {
        const row = await takeArtifact(database, store, incoming, streamIn(request), {
          name: request.query.name ?? '',
          sha256: request.query.sha256,
          by: callerOf(request).id,
          now: clock(),
        });
        return await reply.code(201).send(artifactBody(row, context));
      } catch (error) {
        if (error instanceof ArtifactRefused) {
          throw new Problem(400, 'ARTIFACT_REFUSED', error.message);
        }
        throw error;
      }
    },
  );
}

type ContentRequest = FastifyRequest<{
  Params: { sha256: string };
  Querystring: Type.Static<typeof SignedQuery>;
}>;

function contentRoutes(server: Server, context: CarotaContext): void {
  const description = describeRoute(undefined, {
    tags,
    summary: 'The bytes of an artifact, by its signed URL; with ranges',
    description:
      'Range, If-Range and If-None-Match (RFC 9110) are heeded. A cache in front may keep it for ever.',
    params: Sha256Params,
    querystring: SignedQuery,
    response: {
      200: bytes('All of it.'),
      206: bytes('The range.'),
      304: empty('The client has it.'),
    },
  });
  const path = '/v1.0/artifacts/:sha256/content';
  const handler = (request: ContentRequest, reply: FastifyReply) =>
    sendContent(context, request, reply);
  server.get(path, { ...description, exposeHeadRoute: false }, handler as never);
  server.head(path, description, handler as never);
}

async function sendContent(
  context: CarotaContext,
  request: ContentRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { sha256 } = request.params;
  if (!isSigned(sha256, request.query, context.urlKey, context.clock())) {
    throw new Problem(403, 'URL_EXPIRED', 'this URL has expired, or was not made here');
  }
  const { size } = await known(context, sha256);
  const etag = `"${sha256}"`;
  const { range: header, 'if-range': ifRange, 'if-none-match': ifNoneMatch } = request.headers;
  reply.headers({ etag, 'accept-ranges': 'bytes', 'cache-control': CACHE });
  if (ifNoneMatch === etag || ifNoneMatch === '*') return reply.code(304).send();
  const isIfRange = typeof ifRange === 'string' ? ifRange : undefined;
  const requested = requestedRange(header, isIfRange, etag, size);
  if (requested.kind === 'not satisfiable') {
    reply.header('content-range', `bytes */${size}`);
    throw new Problem(416, 'RANGE_NOT_SATISFIABLE', `the artifact has ${size} bytes`);
  }
  const range = requested.kind === 'part' ? requested.range : undefined;
  const length = range ? range.to - range.from + 1 : size;
  if (range) {
    reply.code(206).header('content-range', `bytes ${range.from}-${range.to}/${size}`);
  }
  reply.headers({ 'content-type': 'application/octet-stream', 'content-length': length });
  if (request.method === 'HEAD') return reply.send();
  context.metrics.bytesSent(length);
  return reply.send(await context.store.read(sha256, range));
}

async function known({ database }: CarotaContext, sha256: string): Promise<ArtifactRow> {
  const artifact = await findArtifact(database, sha256);
  if (!artifact) throw notFound('ARTIFACT_NOT_FOUND', `there is no artifact ${sha256}`);
  return artifact;
}

function artifactBody({ created_at, ...row }: ArtifactRow, context: CarotaContext) {
  return { ...row, createdAt: created_at, url: artifactUrl(row.sha256, context) };
}

/** Absolute where vehicles reach it by another address than this server's. */
export function artifactUrl(
  sha256: string,
  { urlKey, urlTtl, clock, publicUrl }: CarotaContext,
): string {
  const path = signedPath(sha256, urlKey, clock(), urlTtl);
  return publicUrl === undefined ? path : new URL(path, publicUrl).href;
}
