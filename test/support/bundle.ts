/** Bundles scripts that tests start many times: Node.js needs a quarter of the processor time to load a single file. */
import { join, parse } from 'node:path';
import { build } from 'vite';
import { temporaryDirectory } from './servers.js';

/**
 * @param script an ES module for Node.js
 * @returns a file with the script and all modules it imports
 */
export async function bundled(script: string): Promise<string> {
  const outDir = temporaryDirectory('bundle');
  const name = `${parse(script).name}.mjs`;
  await build({
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true, target: 'node' },
    build: {
      ssr: script,
      outDir,
      rolldownOptions: { output: { entryFileNames: name, codeSplitting: false } },
    },
  });
  return join(outDir, name);
}
