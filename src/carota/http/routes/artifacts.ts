/** `/v1.0/artifacts`: the files that vehicles install. */
import { type FastifyReply, type FastifyRequest } from 'fastify';
import {
  artifactApi,
  CAROTA_GRANTS,
  type StoredArtifact,
} from '../../../contract/carota-api/index.js';
import { mayDo } from '../../../service/access/index.js';
import {
  type Call,
  callerOf,
  listCursor,
  page,
  Problem,
  serve,
  type Served,
  type Server,
  streamIn,
} from '../../../service/http/index.js';
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
import { type CarotaContext } from '../context.js';

const ARTIFACTS = listCursor('artifacts', /^[0-9a-f]{64}$/);

/** The bytes of an artifact never change. */
const CACHE = 'public, max-age=31536000, immutable';

export function artifactRoutes(server: Server, context: CarotaContext): void {
  const { database, store, incoming, clock } = context;

  serve(server, artifactApi.uploadArtifact, async ({ request, query }) => {
    try {
      const row = await takeArtifact(database, store, incoming, streamIn(request), {
        name: query.name ?? '',
        sha256: query.sha256,
        by: callerOf(request).id,
        now: clock(),
      });
      return artifactBody(row, context, request);
    } catch (error) {
      if (error instanceof ArtifactRefused) throw new Problem('ARTIFACT_REFUSED', error.message);
      throw error;
    }
  });

  serve(server, artifactApi.listArtifacts, async ({ request, query: { limit, cursor } }) => {
    const rows = await listArtifacts(database, ARTIFACTS.read(cursor) ?? '', limit);
    return page(
      rows,
      limit,
      ARTIFACTS,
      ({ sha256 }) => sha256,
      (row) => artifactBody(row, context, request),
    );
  });

  serve(server, artifactApi.getArtifact, async ({ request, params: { sha256 } }) =>
    artifactBody(await artifactOf(context, sha256), context, request),
  );

  serve(server, artifactApi.getArtifactContent, async (call) => {
    const content = await answerContent(context, call);
    if (!content) return call.reply.send();
    context.metrics.bytesSent(content.length);
    return call.reply.send(await store.read(call.params.sha256, content.range));
  });

  serve(server, artifactApi.headArtifactContent, async (call) => {
    await answerContent(context, call);
  });
}

/** Writes status and headers. @returns what is to be sent; undefined: the client has it */
async function answerContent(
  context: CarotaContext,
  { params, query, headers, reply }: Call<typeof artifactApi.getArtifactContent>,
) {
  const { sha256 } = params;
  if (!isSigned(sha256, query, context.urlKey, context.clock())) {
    throw new Problem('URL_EXPIRED', 'this URL has expired, or was not made here');
  }
  const { size } = await artifactOf(context, sha256);
  const etag = `"${sha256}"`;
  reply.headers({ etag, 'accept-ranges': 'bytes', 'cache-control': CACHE });
  const { 'if-none-match': ifNoneMatch, 'if-range': ifRange } = headers;
  if (ifNoneMatch === etag || ifNoneMatch === '*') {
    reply.code(304);
    return undefined;
  }
  const requested = requestedRange(headers.range, ifRange, etag, size);
  if (requested.kind === 'not satisfiable') {
    reply.header('content-range', `bytes */${size}`);
    throw new Problem('RANGE_NOT_SATISFIABLE', `the artifact has ${size} bytes`);
  }
  const range = requested.kind === 'part' ? requested.range : undefined;
  return writeHeaders(reply, size, range);
}

function writeHeaders(
  reply: FastifyReply,
  size: number,
  range: { readonly from: number; readonly to: number } | undefined,
) {
  const length = range ? range.to - range.from + 1 : size;
  if (range) {
    reply.code(206).header('content-range', `bytes ${range.from}-${range.to}/${size}`);
  }
  reply.headers({ 'content-type': 'application/octet-stream', 'content-length': length });
  return { length, range };
}

async function artifactOf({ database }: CarotaContext, sha256: string): Promise<ArtifactRow> {
  const artifact = await findArtifact(database, sha256);
  if (!artifact) throw new Problem('ARTIFACT_NOT_FOUND', `there is no artifact ${sha256}`);
  return artifact;
}

const artifactBody = (
  { created_at, ...row }: ArtifactRow,
  context: CarotaContext,
  request: FastifyRequest,
): Served<StoredArtifact> => ({
  ...row,
  createdAt: created_at,
  ...(mayDownload(request) ? { url: artifactUrl(row.sha256, context) } : {}),
});

/** Firmware is for those who plan with it and for vehicles, not for everyone who may look. */
const mayDownload = (request: FastifyRequest): boolean => {
  const { role } = callerOf(request);
  return mayDo(CAROTA_GRANTS, role, 'plan') || mayDo(CAROTA_GRANTS, role, 'fetch');
};

/** Absolute where vehicles reach it by another address than this server's. */
export function artifactUrl(
  sha256: string,
  { urlKey, urlTtl, clock, publicUrl }: CarotaContext,
): string {
  const path = signedPath(sha256, urlKey, clock(), urlTtl);
  return publicUrl === undefined ? path : new URL(path, publicUrl).href;
}
