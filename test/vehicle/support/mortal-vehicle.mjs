// @ts-check
/**
 * A vehicle in a process of its own, that can be killed: real files and a real journal. What it publishes is
 * appended to a file, the platform's memory. Kills itself at a journal entry if it is told to.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AutomaticConsent,
  FileInstaller,
  FileJournal,
  HttpDownloads,
  HttpScriptSource,
  MemoryOutbox,
  NoReboot,
  UpdateRunner,
  VehicleAgent,
  VehicleClock,
} from 'otaops/vehicle';
import { X509Certificate } from 'node:crypto';

/**
 * @type {{ directory: string, url: string, anchor: string, trigger: string, identity: any, model: string,
 *   killAt?: number, killBefore?: boolean, sick?: string, bytesPerSecond?: number }}
 */
const settings = JSON.parse(process.argv[2] ?? '{}');
const { directory } = settings;
const platformFile = join(directory, 'platform.ndjson');

const installer = new FileInstaller({
  directory: join(directory, 'ecus'),
  health: async ({ version }) => {
    if (version === settings.sick) throw new Error('no answer from it');
  },
});
installer.provision('HU', '1.0.0');
installer.provision('TCU', '1.0.0');

const scripts = new HttpScriptSource({
  url: settings.url,
  token: 'token',
  trustAnchors: [new X509Certificate(settings.anchor)],
});
const journal = new FileJournal(join(directory, 'journal'));
let entries = 0;
/** @type {import('otaops/vehicle').Journal} */
const mortal = {
  read: () => journal.read(),
  get isLong() {
    return journal.isLong;
  },
  append(entry) {
    entries += 1;
    const isTime = entries === settings.killAt;
    if (isTime && settings.killBefore) process.kill(process.pid, 'SIGKILL');
    journal.append(entry);
    if (isTime) process.kill(process.pid, 'SIGKILL');
  },
  replace: (all) => journal.replace(all),
};

const clock = new VehicleClock(Date.now);
const otaManager = new UpdateRunner({
  equipment: {
    scripts,
    consent: new AutomaticConsent(true),
    conditions: { timeZone: 'UTC', read: async () => ({}) },
    downloads: new HttpDownloads({
      directory: join(directory, 'downloads'),
      locate: (...what) => scripts.locate(...what),
      pauseMs: 20,
      bytesPerSecond: settings.bytesPerSecond,
    }),
    installer,
    reboot: new NoReboot(),
  },
  model: settings.model,
  clock,
  pace: { progressSeconds: 0, progressPercent: 60 },
});

/** @type {import('otaops/vehicle').CloudLinkHandlers | undefined} */
let handlers;
const agent = new VehicleAgent({
  identity: settings.identity,
  otaManager,
  journal: mortal,
  outbox: new MemoryOutbox(),
  clock,
  link: {
    isUp: true,
    open: (given) => void (handlers = given),
    publish: async (payload) => appendFileSync(platformFile, `${payload.toString()}\n`),
    close: async () => undefined,
  },
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
