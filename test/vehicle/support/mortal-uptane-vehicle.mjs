// @ts-check
/** A vehicle that trusts by Uptane, with two ECUs, and kills itself at one of its durable file operations. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { live, settingsOfProcess } from './mortal.mjs';

/** @type {import('./mortal.mjs').Mortal} */
const settings = settingsOfProcess();

let operations = 0;
const count = (/** @type {() => unknown} */ operation) => {
  operations += 1;
  if (operations === settings.killAt) process.kill(process.pid, 'SIGKILL');
  return operation();
};
const mutable = /** @type {any} */ (fs);
for (const holder of [mutable, mutable.promises]) {
  for (const name of ['renameSync', 'fsyncSync', 'rmSync', 'rename', 'rm']) {
    const real = holder[name];
    if (holder === mutable && !name.endsWith('Sync')) continue;
    if (real) holder[name] = (/** @type {any[]} */ ...what) => count(() => real(...what));
  }
}
syncBuiltinESMExports();

await live(await import('otaops/vehicle'), settings, { patience: { attempts: 3, pauseMs: 20 } });
console.log(JSON.stringify({ operations }));
process.exit(0);
