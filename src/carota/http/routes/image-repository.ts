/** `/uptane/image`: metadata and images, as static files; and the state of the repository, for people. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable } from 'node:stream';
import { imageRepositoryApi } from '../../../contract/carota-api/index.js';
import { Problem, serve, type Server } from '../../../service/http/index.js';
import { RepositoryFault } from '../../../uptane/repository/index.js';
import { type ByteRange } from '../../artifacts/index.js';
import { findImage, requestedImage, type RequestedImage } from '../../image-repository/index.js';
import { answerContent, CACHE } from '../content.js';
import { type CarotaContext } from '../context.js';

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

  // Paths of images have any number of parts, which the description of an interface cannot say.
  server.route({
    method: ['GET', 'HEAD'],
    url: `${IMAGES}*`,
    schema: { hide: true },
    handler: async (request, reply) => {
      const [path = ''] = request.url.split('?');
      const wanted = requestedImage(path.slice(IMAGES.length));
      const image = wanted && (await imageOf(wanted, context));
      if (wanted === undefined || image === undefined) {
        throw new Problem('ARTIFACT_NOT_FOUND', 'there is no such image');
      }
      const { digest } = wanted;
      const part = answerContent(reply, request.headers, { digest, size: image.size });
      if (part === undefined || request.method === 'HEAD') return reply.send();
      context.metrics.bytesSent(part.length);
      return reply.send(await image.read(part.range));
    },
  });
}

interface Image {
  /** bytes */
  readonly size: number;
  readonly read: (range: ByteRange | undefined) => Promise<Readable>;
}

/** An artifact that was published here, or a file that people have published into the folder. */
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
