/** Does what a planner does on the CarOTA Server: artifact, update script, schedules. */
import { type Call, CallRefused, postJson } from './caller.js';

interface StoredArtifact {
  readonly sha256: string;
  readonly md5: string;
  readonly size: number;
}

export interface Release {
  readonly scriptRefId: string;
  readonly model: string;
  readonly version: string;
  readonly software: Uint8Array<ArrayBuffer>;
}

/** Uploads the software of ECU HU and publishes the script that installs it, unless they exist already. */
export async function release(carota: Call, wanted: Release): Promise<void> {
  const { scriptRefId, model, version, software } = wanted;
  const { sha256, md5, size } = await carota<StoredArtifact>(
    'POST',
    `/v1.0/artifacts?name=${encodeURIComponent(`HU ${version}`)}`,
    'application/octet-stream',
    software,
  );
  const script = {
    version: 'v1',
    'script-ref-id': scriptRefId,
    model,
    ecus: [{ ecu: 'HU', version, artifact: { sha256, md5, size } }],
    consent: { text: `Version ${version} is ready. Install it now?` },
    preconditions: { battery: 30, gear: 'park' },
  };
  await postJson(carota, '/v1.0/update-scripts', script).catch((error: unknown) => {
    if (!(error instanceof CallRefused && error.status === 409)) throw error;
  });
}

/** @returns false if a schedule of that name exists */
export async function schedule(carota: Call, plan: object): Promise<boolean> {
  try {
    await postJson(carota, '/v1.0/schedules', plan);
    return true;
  } catch (error) {
    if (error instanceof CallRefused && error.status === 409) return false;
    throw error;
  }
}

interface ScheduleShown {
  readonly status: string;
}

/** Whether it will post no further event. */
export async function isOver(carota: Call, refId: string): Promise<boolean> {
  const { status } = await carota<ScheduleShown>(
    'GET',
    `/v1.0/schedules/${encodeURIComponent(refId)}`,
  );
  return ['completed', 'stopped', 'held'].includes(status);
}
