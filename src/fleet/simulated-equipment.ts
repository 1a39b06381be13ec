/** The equipment of a simulated vehicle: no disk and no network, only time and the faults of its scenario. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type UpdateScript } from '../update-script/index.js';
import { DownloadFailed, type Equipment, type Transfer, UpdateRefused } from '../vehicle/index.js';
import { type Scenario } from './scenario.js';

export interface SimulationContext {
  readonly scenario: Scenario;
  readonly model: string;
  /** Waits, simulated ms. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** The user's action in the middle of the download. */
  readonly user: { pauseFor(ms: number): void; cancel(): void };
}

const ECU = 'HU';
const BEFORE = '1.0.0';
const AFTER = '1.1.0';
const SIZE = 100_000_000;

export function simulatedEquipment(context: SimulationContext): Equipment {
  const { scenario, model, wait } = context;
  const { outcome, durations } = scenario;
  let running = BEFORE;
  return {
    scripts: {
      async fetch(scriptRefId, signal) {
        await wait(durations.fetch, signal);
        if (outcome === 'pki_check_fail') {
          const fault = 'the Director orders another image than the script installs';
          throw new UpdateRefused(fault, { hasScript: true, attack: 'mix-and-match' });
        }
        return { script: scriptFor(scriptRefId, model) };
      },
    },
    consent: {
      async ask(_question, signal) {
        await wait(durations.consent, signal);
        return outcome !== 'consent_rejected';
      },
    },
    conditions: {
      timeZone: 'UTC',
      read: () => Promise.resolve({ battery: 100, gear: 'park', ignition: 'off' }),
    },
    downloads: {
      reserve: () => Promise.resolve(),
      download: simulatedDownload(context),
      async fault(_artifact, signal) {
        await wait(durations.verify, signal);
        return outcome === 'md5_check_fail'
          ? 'the MD5 of the download is not that of the script'
          : undefined;
      },
      pathOf: () => '',
      clear: () => Promise.resolve(),
    },
    installer: {
      version: () => Promise.resolve(running),
      install: (_update, _file, signal) => wait(durations.install, signal),
      async activate() {
        running = AFTER;
      },
      async check(_ecu, signal) {
        await wait(durations.check, signal);
        const isSick = outcome === 'rollback_fail' || outcome === 'rollback_success';
        if (running === AFTER && isSick) throw new Error('new software did not start');
        if (running === BEFORE && outcome === 'rollback_fail')
          throw new Error('the previous software did not start either');
      },
      confirm: () => Promise.resolve(),
      async revert() {
        running = BEFORE;
      },
    },
    reboot: {
      bootId: () => Promise.resolve(''),
      restart: (signal) => wait(durations.restart, signal),
    },
  };
}

/** In tenths; the scenario's action in the middle happens once. */
function simulatedDownload({ scenario, wait, user }: SimulationContext) {
  const { outcome, durations, stopsAt } = scenario;
  let tenth = 0;
  let hasStopped = false;
  return async ({ onProgress, signal }: Transfer): Promise<void> => {
    for (; tenth < 10; tenth++) {
      if (tenth === stopsAt && !hasStopped) {
        hasStopped = true;
        if (outcome === 'download_fail') throw new DownloadFailed('Network Failure');
        if (outcome === 'paused_and_resumed') user.pauseFor(durations.pause);
        if (outcome === 'cancel') user.cancel();
      }
      await wait(durations.tenth, signal);
      onProgress((SIZE / 10) * tenth);
    }
  };
}

function scriptFor(scriptRefId: string, model: string): UpdateScript {
  return {
    version: 'v1',
    'script-ref-id': scriptRefId,
    model,
    ecus: [
      {
        ecu: ECU,
        version: AFTER,
        artifact: { sha256: '0'.repeat(64), md5: '0'.repeat(32), size: SIZE },
      },
    ],
    consent: { text: 'An update is ready.' },
  };
}

/** @param speed simulated seconds per real second */
export const simulatedWait =
  (speed: number) =>
  (ms: number, signal: AbortSignal): Promise<void> =>
    sleep(ms / speed, undefined, { signal });
