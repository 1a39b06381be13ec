// @ts-check
/**
 * Common code of vehicles that tests kill. Each has real files and a real journal, and appends what it publishes to a
 * file, which is the platform's memory.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {{ directory: string, url: string, trigger: string, identity: any, model: string, killAt?: number }} Mortal */

/** @typedef {Pick<import('otaops/vehicle').VehicleAgent, 'goOnline' | 'flush' | 'idle'>} Agent */
/**
 * @typedef {{
 *   AutomaticConsent: new (accepts: boolean) => any,
 *   openVehicle: (options: any) => { agent: Agent, stop(): Promise<void> },
 * }} Ours
 */

/** Settings from the test: JSON in the first argument. */
export const settingsOfProcess = () => JSON.parse(process.argv[2] ?? '{}');

/**
 * Runs until nothing is left to do, and returns the vehicle, still open.
 *
 * @param {Ours} ours from the sources or the package; a parameter, because some callers must replace functions of Node
 * before they import it
 * @param {Mortal} settings
 * @param {Partial<import('otaops/vehicle').RealVehicleOptions>} options
 */
export async function live({ AutomaticConsent, openVehicle }, settings, options) {
  const { directory, url, identity, model } = settings;
  const platformFile = join(directory, 'platform.ndjson');
  /** @type {import('otaops/vehicle').CloudLinkHandlers | undefined} */
  let handlers;
  const vehicle = openVehicle({
    identity,
    model,
    link: {
      isUp: true,
      open: (/** @type {import('otaops/vehicle').CloudLinkHandlers} */ given) =>
        void (handlers = given),
      publish: async (/** @type {Buffer} */ payload) =>
        appendFileSync(platformFile, `${payload.toString()}\n`),
      close: async () => undefined,
    },
    directory,
    carotaUrl: url,
    directorUrl: `${url}/director`,
    imageUrl: `${url}/image`,
    carotaToken: 'token',
    consent: new AutomaticConsent(true),
    pace: { progressSeconds: 0, progressPercent: 60 },
    ...options,
  });
  const { agent } = vehicle;
  agent.goOnline();
  // The platform sends the trigger until it is acknowledged.
  const published = existsSync(platformFile) ? readFileSync(platformFile, 'utf8') : '';
  if (!published.includes('OTA_TRIGGER_ACK'))
    handlers?.onMessage(Buffer.from(settings.trigger, 'base64'));
  agent.flush();
  await agent.idle();
  return vehicle;
}
