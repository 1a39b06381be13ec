/** A planner's work at the CarOTA Server: an artifact, an update script, schedules. */
import {
  artifactApi,
  scheduleApi,
  type SchedulePlan,
  updateScriptApi,
} from '../contract/carota-api/index.js';
import { ApiError, type Client } from '../contract/index.js';

/** Hardware ids of the complete agents' ECUs. */
export const HARDWARE = { primary: 'hw-primary', headUnit: 'hw-head-unit' } as const;

export interface Release {
  readonly scriptRefId: string;
  readonly model: string;
  readonly version: string;
  /** ECUs never go back to a lower one. */
  readonly releaseCounter: number;
  readonly software: Uint8Array<ArrayBuffer>;
}

/**
 * Uploads the software of ECU HU and publishes the script that installs it, both as targets of the image repository;
 * existing ones are kept.
 */
export async function release(carota: Client, wanted: Release): Promise<void> {
  const { scriptRefId, model, version, releaseCounter, software } = wanted;
  const { sha256, md5, size } = await carota.call(artifactApi.uploadArtifact, {
    query: { name: `HU ${version}`, hardwareIds: HARDWARE.headUnit, releaseCounter },
    content: { type: 'application/octet-stream', body: software },
  });
  const script = {
    version: 'v1' as const,
    'script-ref-id': scriptRefId,
    model,
    ecus: [{ ecu: 'HU', version, artifact: { sha256, md5, size } }],
    consent: {
      text: `Version ${version} is ready. Install it now?`,
      language: 'en',
      textVersion: '1',
    },
    preconditions: { battery: 30, gear: 'park' as const },
    record: {
      purpose: 'A trial of this software: a better map, no other changes.',
      systems: ['navigation'],
      regulations: [
        {
          regulation: 'UN R155',
          rxswinBefore: 'R155 TRIAL 001',
          rxswinAfter: 'R155 TRIAL 002',
          software: [{ ecu: 'HU', version, sha256 }],
        },
      ],
    },
  };
  const query = { hardwareIds: HARDWARE.primary, releaseCounter };
  await unlessThere(carota.call(updateScriptApi.publishScript, { query, body: script }));
}

/** Does nothing if a schedule of that name exists. */
export async function schedule(carota: Client, plan: SchedulePlan): Promise<void> {
  await unlessThere(carota.call(scheduleApi.createSchedule, { body: plan }));
}

const THERE_ALREADY = new Set(['SCRIPT_EXISTS', 'SCHEDULE_EXISTS']);

async function unlessThere(asked: Promise<unknown>): Promise<void> {
  await asked.catch((error: unknown) => {
    if (!(error instanceof ApiError && THERE_ALREADY.has(error.code))) throw error;
  });
}

/** Whether it will post no more waves. */
export async function isOver(carota: Client, refId: string): Promise<boolean> {
  const { status } = await carota.call(scheduleApi.getSchedule, { params: { 'ref-id': refId } });
  return ['completed', 'stopped', 'held'].includes(status);
}
