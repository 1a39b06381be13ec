/**
 * ECUs as directories: `<ecu>/a` and `<ecu>/b` are the slots, `<ecu>/boot.json` names the active one. A slot holds
 * `software` and, written last, `manifest.json`: without it the slot is incomplete and is never activated.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type EcuUpdate } from '../../update-script/index.js';
import { removeFile, replaceFile, syncDirectory } from '../durable-file.js';
import { type Installer } from '../update/equipment.js';

type SlotName = 'a' | 'b';

interface Boot {
  readonly active: SlotName;
  /** The previous slot, until the running software is confirmed. */
  readonly fallback?: SlotName;
}

/** Manifest of a slot. Written last, so that a slot with a manifest is complete. */
export interface Manifest {
  readonly ecu: string;
  readonly version: string;
  /** SHA-256 of `software`. */
  readonly sha256: string;
}

/** The slot from which an ECU runs. */
export interface RunningSlot extends Manifest {
  /** File of the running software. */
  readonly software: string;
}

/** Directory of file ECUs, and their health check. */
export interface FileInstallerOptions {
  readonly directory: string;
  /**
   * Checks the health of the software in a slot, beyond its integrity.
   *
   * @throws Error with the reason if it is not healthy
   */
  readonly health?: ((running: RunningSlot, signal: AbortSignal) => Promise<void>) | undefined;
}

export class FileInstaller implements Installer {
  readonly #options: FileInstallerOptions;

  constructor(options: FileInstallerOptions) {
    this.#options = options;
  }

  /** Installs factory software; does nothing if the ECU already has some. */
  provision(ecu: string, version: string, software: Uint8Array = Buffer.from(version)): void {
    if (existsSync(this.#path(ecu, 'boot.json'))) return;
    mkdirSync(this.#path(ecu, 'a'), { recursive: true });
    mkdirSync(this.#path(ecu, 'b'), { recursive: true });
    replaceFile(this.#path(ecu, 'a', 'software'), software);
    const sha256 = createHash('sha256').update(software).digest('hex');
    this.#writeManifest('a', { ecu, version, sha256 });
    // Written last: it makes the ECU exist.
    this.#writeBoot(ecu, { active: 'a' });
  }

  async version(ecu: string): Promise<string | undefined> {
    const boot = this.#boot(ecu);
    return boot && this.#manifest(ecu, boot.active)?.version;
  }

  async digest(ecu: string): Promise<string | undefined> {
    const boot = this.#boot(ecu);
    return boot && this.#manifest(ecu, boot.active)?.sha256;
  }

  async install(update: EcuUpdate, file: string, signal: AbortSignal): Promise<void> {
    const { ecu, version, artifact } = update;
    const slot = other(this.#bootOf(ecu).active);
    if (isOf(this.#manifest(ecu, slot), update)) return;
    removeFile(this.#path(ecu, slot, 'manifest.json'));
    syncDirectory(this.#path(ecu, slot));
    const sha256 = await copySynchronised(file, this.#path(ecu, slot, 'software'), signal);
    if (sha256 !== artifact.sha256)
      throw new Error(`the written software has the SHA-256 ${sha256}`);
    this.#writeManifest(slot, { ecu, version, sha256 });
  }

  async activate(update: EcuUpdate): Promise<void> {
    const { ecu, version } = update;
    const { active } = this.#bootOf(ecu);
    if (isOf(this.#manifest(ecu, active), update)) return;
    const slot = other(active);
    if (!isOf(this.#manifest(ecu, slot), update)) {
      throw new Error(`slot ${slot} of ${ecu} does not contain all of ${version}`);
    }
    this.#writeBoot(ecu, { active: slot, fallback: active });
  }

  async check(ecu: string, signal: AbortSignal): Promise<void> {
    const { active } = this.#bootOf(ecu);
    const manifest = this.#manifest(ecu, active);
    const software = this.#path(ecu, active, 'software');
    if (!manifest) throw new Error(`slot ${active} is incomplete`);
    const sha256 = await digestOf(software, signal);
    if (sha256 !== manifest.sha256) throw new Error(`the software in slot ${active} is damaged`);
    await this.#options.health?.({ ...manifest, software }, signal);
  }

  async confirm(update: EcuUpdate): Promise<void> {
    const { active, fallback } = this.#bootOf(update.ecu);
    if (fallback !== undefined) this.#writeBoot(update.ecu, { active });
  }

  async revert({ ecu }: EcuUpdate): Promise<void> {
    const { fallback } = this.#bootOf(ecu);
    if (fallback !== undefined) this.#writeBoot(ecu, { active: fallback });
  }

  #path(ecu: string, ...names: string[]): string {
    return join(this.#options.directory, ecu, ...names);
  }

  #boot(ecu: string): Boot | undefined {
    return readJson(this.#path(ecu, 'boot.json')) as Boot | undefined;
  }

  #bootOf(ecu: string): Boot {
    const boot = this.#boot(ecu);
    if (!boot) throw new Error(`there is no ECU ${ecu}`);
    return boot;
  }

  #writeBoot(ecu: string, boot: Boot): void {
    replaceFile(this.#path(ecu, 'boot.json'), JSON.stringify(boot));
  }

  #manifest(ecu: string, slot: SlotName): Manifest | undefined {
    return readJson(this.#path(ecu, slot, 'manifest.json')) as Manifest | undefined;
  }

  #writeManifest(slot: SlotName, manifest: Manifest): void {
    replaceFile(this.#path(manifest.ecu, slot, 'manifest.json'), JSON.stringify(manifest));
  }
}

const other = (slot: SlotName): SlotName => (slot === 'a' ? 'b' : 'a');

const isOf = (manifest: Manifest | undefined, { version, artifact }: EcuUpdate) =>
  manifest?.version === version && manifest.sha256 === artifact.sha256;

function readJson(path: string): unknown {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

async function digestOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { signal })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** @returns the SHA-256 of the written data */
async function copySynchronised(from: string, to: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(to, 'w', 0o600);
  try {
    for await (const chunk of createReadStream(from, { signal })) {
      hash.update(chunk as Buffer);
      await file.writeFile(chunk as Buffer);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}
