// @ts-check
/**
 * A vehicle that trusts by Uptane, with two ECUs, in a process of its own that kills itself at one of its durable file
 * operations. What it publishes is appended to a file, the platform's memory.
 */
import fs, { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

/** @type {{ directory: string, url: string, trigger: string, identity: any, model: string, killAt?: number }} */
const settings = JSON.parse(process.argv[2] ?? '{}');
const { directory, url } = settings;

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

const { AutomaticConsent, openVehicle } = await import('otaops/vehicle');
const platformFile = join(directory, 'platform.ndjson');
/** @type {import('otaops/vehicle').CloudLinkHandlers | undefined} */
let handlers;
const vehicle = openVehicle({
  identity: settings.identity,
  model: settings.model,
  link: {
    isUp: true,
    open: (given) => void (handlers = given),
    publish: async (payload) => appendFileSync(platformFile, `${payload.toString()}\n`),
    close: async () => undefined,
  },
  directory,
  carotaUrl: url,
  directorUrl: `${url}/director`,
  imageUrl: `${url}/image`,
  carotaToken: 'token',
  consent: new AutomaticConsent(true),
  pace: { progressSeconds: 0, progressPercent: 60 },
  patience: { attempts: 3, pauseMs: 20 },
});
vehicle.agent.goOnline();
// The platform sends the trigger until it is acknowledged.
const known = existsSync(platformFile) ? readFileSync(platformFile, 'utf8') : '';
if (!known.includes('OTA_TRIGGER_ACK'))
  handlers?.onMessage(Buffer.from(settings.trigger, 'base64'));
vehicle.agent.flush();
await vehicle.agent.idle();
console.log(JSON.stringify({ operations }));
process.exit(0);
