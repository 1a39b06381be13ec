// @ts-check
/**
 * A vehicle in a process of its own, that can be killed: real files and a real journal. What it publishes is
 * appended to a file, the platform's memory. Kills itself at a journal entry if it is told to.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AutomaticConsent, FileJournal, openVehicle } from 'otaops/vehicle';

/**
 * @type {{ directory: string, url: string, trigger: string, identity: any, model: string,
 *   killAt?: number, killBefore?: boolean, sick?: string, bytesPerSecond?: number }}
 */
const settings = JSON.parse(process.argv[2] ?? '{}');
const { directory, url } = settings;
const platformFile = join(directory, 'platform.ndjson');

let entries = 0;
const { append } = FileJournal.prototype;
/** @param {Parameters<typeof append>[0]} entry */
FileJournal.prototype.append = function (entry) {
  entries += 1;
  const isTime = entries === settings.killAt;
  if (isTime && settings.killBefore) process.kill(process.pid, 'SIGKILL');
  append.call(this, entry);
  if (isTime) process.kill(process.pid, 'SIGKILL');
};

/** @type {import('otaops/vehicle').CloudLinkHandlers | undefined} */
let handlers;
const { agent } = openVehicle({
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
  healthCommand: settings.sick && `test "$OTAOPS_VERSION" != "${settings.sick}"`,
  bytesPerSecond: settings.bytesPerSecond,
  pace: { progressSeconds: 0, progressPercent: 60 },
  patience: { attempts: 8, pauseMs: 20 },
});
console.log('on');
agent.goOnline();
// The platform sends the trigger until it is acknowledged.
const known = existsSync(platformFile) ? readFileSync(platformFile, 'utf8') : '';
if (!known.includes('OTA_TRIGGER_ACK'))
  handlers?.onMessage(Buffer.from(settings.trigger, 'base64'));
agent.flush();
await agent.idle();
console.log(JSON.stringify({ entries }));
process.exit(0);
