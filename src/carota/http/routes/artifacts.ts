/** `/v1.0/artifacts`: files for vehicles to install. */
import { type FastifyRequest } from 'fastify';
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
  deleteArtifact,
  digestsOf,
  findArtifact,
  finishRemoval,
  isSigned,
  listArtifacts,
  signedPath,
  usedRoom,
} from '../../artifacts/index.js';
import { answerContent, withdrawContent } from '../content.js';
import { type CarotaContext } from '../context.js';
import { addTargetOf, checkedHardware } from '../target.js';
import { inUse, quotaProblem, whileListed } from '../uploads.js';

const ARTIFACTS = listCursor('artifacts', /^[0-9a-f]{64}$/);

/** Target path of update scripts: an upload there could replace an approved one. */
const SCRIPTS = 'scripts/';

export function artifactRoutes(server: Server, context: CarotaContext): void {
  const { database, store, uploads, images, clock, log } = context;

  serve(server, artifactApi.uploadArtifact, async ({ request, query }) => {
    checkedHardware(query);
    if (query.path?.startsWith(SCRIPTS)) {
      throw new Problem('TARGET_REFUSED', `paths below ${SCRIPTS} are for update scripts`);
    }
    try {
      const content = streamIn(request);
      const row = await uploads.take(content, {
        name: query.name ?? '',
        sha256: query.sha256,
        size: announcedSize(request),
        by: callerOf(request).id,
      });
      const path = query.path ?? `artifacts/${row.sha256}`;
      const target = await addTargetOf(context, row.sha256, path, query);
      return { ...artifactBody(row, context, request), ...(target ? { target } : {}) };
    } catch (error) {
      if (error instanceof ArtifactRefused) throw new Problem('ARTIFACT_REFUSED', error.message);
      throw quotaProblem(context, error);
    }
  });

  serve(server, artifactApi.deleteArtifact, async ({ params: { sha256 } }) => {
    const digests = await digestsOf(database, sha256);
    await whileListed(
      images,
      (_path, hashes) => hashes.some((hash) => digests.has(hash)),
      async (targets) => {
        const outcome = await deleteArtifact(
          database,
          sha256,
          targets,
          (names) => images.removeImage(sha256, names),
          clock(),
        );
        if (outcome === 'unknown') throw notFound(sha256);
        if (outcome !== 'deleted') throw inUse(`artifact ${sha256}`, outcome.users);
      },
    );
    // It is deleted; if removing its bytes fails, upkeep removes them.
    await finishRemoval(database, store, sha256).catch((error: unknown) =>
      log.warn({ err: error, sha256 }, 'the bytes of a deleted artifact could not be removed yet'),
    );
  });

  serve(server, artifactApi.getStorage, async () => {
    const { artifacts, scripts } = await usedRoom(context.reading);
    const { quota } = uploads;
    return {
      artifacts: { ...artifacts, maxNumber: quota.artifacts, maxBytes: quota.artifactBytes },
      scripts: { ...scripts, maxNumber: quota.scripts, maxBytes: quota.scriptBytes },
      maxBytesPerToken: quota.artifactBytesPerToken,
    };
  });

  serve(server, artifactApi.listArtifacts, async ({ request, query: { limit, cursor } }) => {
    const rows = await listArtifacts(context.reading, ARTIFACTS.read(cursor) ?? '', limit);
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
    const content = await answerArtifact(context, call);
    if (!content) return call.reply.send();
    const { sha256 } = call.params;
    const bytes = await store.read(sha256, content.range).catch(async (error: unknown) => {
      withdrawContent(call.reply);
      // It may have been deleted since it was found.
      await artifactOf(context, sha256);
      throw error;
    });
    context.metrics.bytesSent(content.length);
    return call.reply.send(bytes);
  });

  serve(server, artifactApi.headArtifactContent, async (call) => {
    await answerArtifact(context, call);
  });
}

/** Sets status and headers. @returns the content to send; undefined: the client already has it */
async function answerArtifact(
  context: CarotaContext,
  {
    params,
    query,
    headers,
    reply,
  }: Call<typeof artifactApi.getArtifactContent> | Call<typeof artifactApi.headArtifactContent>,
) {
  const { sha256 } = params;
  if (!isSigned(sha256, query, context.urlKeys, context.clock())) {
    throw new Problem('URL_EXPIRED', 'this URL has expired or was not issued by this server');
  }
  const { size } = await artifactOf(context, sha256);
  return answerContent(reply, headers, { digest: sha256, size });
}

async function artifactOf({ database }: CarotaContext, sha256: string): Promise<ArtifactRow> {
  const artifact = await findArtifact(database, sha256);
  if (!artifact) throw notFound(sha256);
  return artifact;
}

const notFound = (sha256: string) =>
  new Problem('ARTIFACT_NOT_FOUND', `there is no artifact ${sha256}`);

/** bytes; undefined: the client does not say */
function announcedSize({ headers }: FastifyRequest): number | undefined {
  const { 'content-length': length } = headers;
  return length === undefined ? undefined : Number(length);
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

/** Firmware may be downloaded by planners and vehicles, not by every viewer. */
const mayDownload = (request: FastifyRequest): boolean => {
  const { role } = callerOf(request);
  return mayDo(CAROTA_GRANTS, role, 'plan') || mayDo(CAROTA_GRANTS, role, 'fetch');
};

/** Absolute if vehicles use a different address than this server's. */
export function artifactUrl(
  sha256: string,
  { urlKeys, urlTtl, clock, publicUrl }: CarotaContext,
): string {
  const path = signedPath(sha256, urlKeys, clock(), urlTtl);
  return publicUrl === undefined ? path : new URL(path, publicUrl).href;
}
