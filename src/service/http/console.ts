/** `/console/`: the web application for people, from this package's own files only. */
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import { type FastifyInstance, type FastifyReply } from 'fastify';
import { Problem } from './problem.js';

/** Output of `npm run build`. */
const FILES = fileURLToPath(new URL('../../../dist/console/', import.meta.url));

/** No content from other hosts, no inline code, no framing (W3C Content Security Policy Level 3). */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

export async function consoleRoutes(server: FastifyInstance): Promise<void> {
  const hide = { schema: { hide: true } };
  server.get('/', hide, (_request, reply) => reply.redirect('/console/'));
  server.get('/console', hide, (_request, reply) => reply.redirect('/console/'));
  if (!existsSync(FILES)) {
    server.get('/console/*', hide, () => {
      throw new Problem('CONSOLE_NOT_BUILT', 'the console is not built: npm run build');
    });
    return;
  }
  await server.register(async (pages) => {
    pages.addHook('onSend', async (_request, reply) => void reply.headers(HEADERS));
    await pages.register(fastifyStatic, {
      root: FILES,
      // It would register two routes for each of the nearly 200 files, a third of the work of a start.
      serve: false,
      index: false,
      preCompressed: true,
      cacheControl: false,
      // These file names contain a digest of the content.
      setHeaders: (response, path) => {
        const isNamed = path.includes('/assets/');
        response.setHeader(
          'cache-control',
          isNamed ? 'public, max-age=31536000, immutable' : 'no-cache',
        );
      },
    });
    const files = new Set(readdirSync(FILES, { recursive: true, encoding: 'utf8' }));
    // Every page has its own address, all with the same document.
    pages.get<{ Params: { '*': string } }>(
      '/console/*',
      hide,
      ({ params }, reply: FastifyReply) => {
        const name = params['*'];
        if (files.has(name) && name !== 'assets') return reply.sendFile(name);
        if (name.startsWith('assets/')) throw new Problem('NOT_FOUND', 'there is no such file');
        return reply.sendFile('index.html');
      },
    );
  });
}
