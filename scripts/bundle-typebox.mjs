// Second step of the build: the module of dist/ that hands on the schema library becomes that library in one file. tsc has
// left an import of some 700 modules there, which cost each process a quarter of a second.
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const file = join(root, 'dist', 'contract', 'typebox.js');
const licence = readFileSync(join(root, 'node_modules', 'typebox', 'license'), 'utf8');

await build({
  root,
  configFile: false,
  logLevel: 'warn',
  ssr: { noExternal: true },
  build: {
    ssr: file,
    outDir: dirname(file),
    emptyOutDir: false,
    copyPublicDir: false,
    target: 'node20',
    // Stack traces show the library's own names.
    minify: false,
    rolldownOptions: {
      output: {
        entryFileNames: 'typebox.js',
        codeSplitting: false,
        banner: `/*! Bundled from the npm package typebox.\n\n${licence.trim()}\n*/`,
      },
    },
  },
});
// tsc's, of the file that was replaced.
rmSync(`${file}.map`, { force: true });
