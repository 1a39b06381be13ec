/** `/uptane/image`: metadata and images, as static files; and the state of the repository, for people. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable } from 'node:stream';
import { type FastifyRequest } from 'fastify';
import { type DeliveryOutcome, imageRepositoryApi } from '../../../contract/carota-api/index.js';
import {
  actorOf,
  callerOf,
  Problem,
  serve,
  type Served,
  type Server,
  streamIn,
} from '../../../service/http/index.js';
import { RepositoryFault } from '../../../uptane/repository/index.js';
import { ArtifactRefused, type ByteRange } from '../../artifacts/index.js';
import { recordActions } from '../../audit.js';
import {
  DeliveryRefused,
  type DeliveryResult,
  findExpected,
  findImage,
  requestedImage,
  type RequestedImage,
} from '../../image-repository/index.js';
import { answerContent, CACHE, withdrawContent } from '../content.js';
import { type CarotaContext } from '../context.js';
import { quotaProblem } from '../uploads.js';

const IMAGES = '/uptane/image/targets/';

export function imageRepositoryRoutes(server: Server, context: CarotaContext): void {
  const { images } = context;

  serve(server, imageRepositoryApi.getImageMetadata, async ({ params: { file }, reply }) => {
    const bytes = await images.metadata(file);
    if (bytes === undefined) throw new Problem('METADATA_NOT_FOUND', `there is no ${file}`);
    return reply
      .type('application/json')
      .header('cache-control', file === 'timestamp.json' ? 'no-cache' : CACHE)
      .send(Buffer.from(bytes));
  });

  serve(server, imageRepositoryApi.getImageRepository, async () => {
    try {
      return await images.overview();
    } catch (error) {
      if (error instanceof RepositoryFault) throw new Problem('METADATA_NOT_FOUND', error.message);
      throw error;
    }
  });

  serve(server, imageRepositoryApi.deliver, async ({ request, body }) => {
    const result = await delivered(context, request, body ?? Buffer.alloc(0));
    return outcomeBody(result);
  });

  serve(
    server,
    imageRepositoryApi.uploadDeliveredImage,
    async ({ request, params: { sha256 } }) => {
      const { database, uploads, clock } = context;
      const content = streamIn(request);
      const expected = await findExpected(database, sha256, clock());
      if (!expected) {
        throw new Problem(
          'DELIVERY_REFUSED',
          `no delivery of the last week needs an image ${sha256}`,
        );
      }
      const { length: size, path: name } = expected;
      const said = { name, sha256, size, by: callerOf(request).id };
      try {
        await uploads.take(content, said);
      } catch (error) {
        if (error instanceof ArtifactRefused) throw new Problem('ARTIFACT_REFUSED', error.message);
        throw quotaProblem(context, error);
      }
    },
  );

  // Paths of images have any number of parts, which OpenAPI cannot express.
  server.route({
    method: ['GET', 'HEAD'],
    url: `${IMAGES}*`,
    schema: { hide: true },
    config: context.imageAccess === 'vehicles' ? { permission: 'fetch' } : {},
    handler: async (request, reply) => {
      const [path = ''] = request.url.split('?');
      const wanted = requestedImage(path.slice(IMAGES.length));
      const image = wanted && (await imageOf(wanted, context));
      if (wanted === undefined || image === undefined) throw noImage();
      const { digest } = wanted;
      const part = answerContent(reply, request.headers, { digest, size: image.size });
      if (part === undefined || request.method === 'HEAD') return reply.send();
      const bytes = await image.read(part.range).catch(async (error: unknown) => {
        withdrawContent(reply);
        // It may have been deleted since it was found.
        throw (await imageOf(wanted, context)) ? error : noImage();
      });
      context.metrics.bytesSent(part.length);
      return reply.send(bytes);
    },
  });
}

const noImage = () => new Problem('ARTIFACT_NOT_FOUND', 'there is no such image');

/** Deliveries and refusals are recorded in the audit log. @throws Problem */
async function delivered(
  { images, database, clock }: CarotaContext,
  request: FastifyRequest,
  bytes: Uint8Array,
): Promise<DeliveryResult> {
  const by = actorOf(request);
  const note = (action: 'deliver' | 'refuse-delivery', detail: object) =>
    recordActions(
      database,
      action,
      [{ vin: null, by, detail, outcome: action === 'deliver' ? 'done' : 'refused' }],
      clock(),
    );
  try {
    const result = await images.deliver(bytes);
    const { state, roles } = result;
    await note('deliver', { state, roles });
    return result;
  } catch (error) {
    if (!(error instanceof DeliveryRefused)) throw error;
    const faults = error.faults.slice(0, MOST_FAULTS).map(storable);
    await note('refuse-delivery', { faults });
    const errors = faults.map((message) => ({ path: '/roles', message }));
    throw new Problem('DELIVERY_REFUSED', faults[0] ?? error.message, { errors });
  }
}

/** A delivery may list thousands of faulty images. */
const MOST_FAULTS = 100;

/** The text may come from the supplier: NUL and lone surrogates cannot be stored. */
const storable = (text: string) => text.slice(0, 1_000).replaceAll('\0', '\ufffd').toWellFormed();

const outcomeBody = ({ state, roles, missing }: DeliveryResult): Served<DeliveryOutcome> => ({
  state,
  roles: [...roles],
  missing: missing.map(({ role, target: { path, length, hashes } }) => ({
    role,
    path,
    sha256: hashes.get('sha256') ?? '',
    length,
  })),
});

interface Image {
  /** bytes */
  readonly size: number;
  readonly read: (range: ByteRange | undefined) => Promise<Readable>;
}

/** An artifact published here, or a file that people have published into the folder. */
async function imageOf(
  wanted: RequestedImage,
  { database, store, images }: CarotaContext,
): Promise<Image | undefined> {
  const artifact = await findImage(database, wanted.path, wanted.digest);
  if (artifact) {
    return { size: artifact.size, read: (range) => store.read(artifact.sha256, range) };
  }
  const parts = wanted.path.split('/');
  const name = `${wanted.digest}.${parts.pop() ?? ''}`;
  const file = join(images.folder, 'targets', ...parts, name);
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) return undefined;
  return {
    size: found.size,
    read: async (range) =>
      createReadStream(file, range ? { start: range.from, end: range.to } : {}),
  };
}
