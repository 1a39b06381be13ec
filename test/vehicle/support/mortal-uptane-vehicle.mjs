// @ts-check
/**
 * A vehicle with Uptane and two ECUs. It kills itself at one of its durable file operations, or copies its files before
 * some of them.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { live, settingsOfProcess } from './mortal.mjs';

/** @type {import('./mortal.mjs').Mortal & { copyAt?: readonly number[], copies?: string }} */
const settings = settingsOfProcess();
const { copyAt = [], copies = '' } = settings;

let operations = 0;
const count = (/** @type {() => unknown} */ operation) => {
  operations += 1;
  if (operations === settings.killAt) process.kill(process.pid, 'SIGKILL');
  if (copyAt.includes(operations)) {
    // Synchronously, so that the copy is what a kill would leave.
    fs.cpSync(settings.directory, join(copies, String(operations)), { recursive: true });
  }
  return operation();
};
const mutable = /** @type {any} */ (fs);
for (const holder of [mutable, mutable.promises]) {
  for (const name of ['renameSync', 'fsyncSync', 'rmSync', 'rename', 'rm']) {
    // A kill loses nothing that the kernel has, so fsync would only cost time.
    const real = name === 'fsyncSync' ? () => undefined : holder[name];
    if (holder === mutable ? !name.endsWith('Sync') : name.endsWith('Sync')) continue;
    if (real) holder[name] = (/** @type {any[]} */ ...what) => count(() => real(...what));
  }
}
syncBuiltinESMExports();

await live(await import('otaops/vehicle'), settings, { patience: { attempts: 3, pauseMs: 20 } });
console.log(JSON.stringify({ operations }));
process.exit(0);
