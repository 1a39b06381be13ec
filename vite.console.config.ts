/** Builds the console into `dist/console`: static files, each with its compressed forms beside it. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';
import { isPure, routesWithoutSchemas } from './scripts/routes-without-schemas.js';

const root = fileURLToPath(new URL('src/console/', import.meta.url));
const outDir = fileURLToPath(new URL('dist/console/', import.meta.url));

const compress = (): Plugin => ({
  name: 'compress',
  apply: 'build',
  // Not closeBundle, which also runs after a failed build and would hide its error.
  writeBundle() {
    for (const entry of readdirSync(outDir, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.(js|css|html|svg)$/.test(entry.name)) continue;
      const file = join(entry.parentPath, entry.name);
      const bytes = readFileSync(file);
      writeFileSync(`${file}.br`, brotliCompressSync(bytes));
      writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
    }
  },
});

export default defineConfig({
  root,
  base: '/console/',
  plugins: [react(), routesWithoutSchemas(), compress()],
  build: {
    outDir,
    emptyOutDir: true,
    // An inlined picture would need `data:` in the Content-Security-Policy of more than pictures.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { treeshake: { moduleSideEffects: (id) => !isPure(id) } },
  },
  server: {
    host: '127.0.0.1',
    proxy: { '/v1.0': process.env.CONSOLE_SERVER ?? 'http://127.0.0.1:8080' },
  },
});
