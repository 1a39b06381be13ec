/** The environment of a benchmark: servers, adapters, a fleet in the registry and an operation. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { fleetOf, registrationLine } from '../fleet/index.js';
import {
  controlApi,
  operationApi,
  registryApi,
  triggerApi,
} from '../contract/adapter-api/index.js';
import {
  type AdapterProcess,
  installedPostgres,
  type Server,
  startAdapterProcess,
  startMosquitto,
  startPostgres,
  temporaryDirectory,
} from '../test-bed/index.js';
import { Load } from './load.js';
import { processorSeconds } from './processor-time.js';

export type RigKind = 'PostgreSQL + Mosquitto' | 'embedded';

/** Large enough that a benchmark is not a measurement of checkpoints; durability is the default. */
export const POSTGRES_SETTINGS = ['-c', 'max_wal_size=8GB', '-c', 'checkpoint_timeout=30min'];
const IMPORT_CHUNK = 20_000;

/** Connections of the load, and messages that each may have under way. */
const CONNECTIONS = 50;
const WINDOW = 200;
/** On the embedded broker, each connection is a separate vehicle. */
const VEHICLE_WINDOW = 20;

/** Processor time so far, seconds. */
export interface ProcessorSeconds {
  /** Including the embedded database, if it is used. */
  readonly adapters: number;
  readonly postgres: number;
  readonly broker: number;
}

export interface RigOptions {
  /** Folder of the release whose adapters are run; this one else. */
  readonly release?: string | undefined;
  /** A database on an existing server; otherwise on a new one. */
  readonly databaseUrl?: string | undefined;
}

export class Rig {
  readonly kind: RigKind;
  readonly directory = temporaryDirectory('bench');
  readonly load = new Load();
  readonly adapters: AdapterProcess[] = [];
  #postgres: Server | undefined;
  #broker: Server | undefined;
  #databaseUrl: string | undefined;
  #databases = 0;
  #runs = 0;
  readonly #release: string | undefined;

  private constructor(kind: RigKind, release: string | undefined) {
    this.kind = kind;
    this.#release = release;
  }

  /** Servers and one adapter. @throws ProgramMissing */
  static async start(kind: RigKind, { release, databaseUrl }: RigOptions = {}): Promise<Rig> {
    const rig = new Rig(kind, release);
    if (kind !== 'embedded') {
      rig.#databaseUrl = databaseUrl;
      if (databaseUrl === undefined) {
        rig.#postgres = await startPostgres(await installedPostgres(), POSTGRES_SETTINGS);
        rig.#databaseUrl = await rig.newDatabase();
      }
      rig.#broker = await startMosquitto('persistence false');
    }
    await rig.addAdapter();
    return rig;
  }

  get adapter(): AdapterProcess {
    const [first] = this.adapters;
    if (!first) throw new Error('there is no adapter');
    return first;
  }

  /** Port of the broker that vehicles connect to. */
  get brokerPort(): number {
    return this.#broker?.port ?? this.adapter.mqttPort;
  }

  /** Of the adapters' own database on the PostgreSQL server. */
  get databaseUrl(): string {
    if (this.#databaseUrl === undefined) throw new Error('there is no PostgreSQL');
    return this.#databaseUrl;
  }

  get brokerUrl(): string {
    return `mqtt://127.0.0.1:${this.brokerPort}`;
  }

  /** A new, empty database on the PostgreSQL server. */
  async newDatabase(): Promise<string> {
    if (!this.#postgres) throw new Error('there is no PostgreSQL');
    const name = `bench_${++this.#databases}`;
    const client = new pg.Client(`${this.#postgres.url}/postgres`);
    await client.connect();
    await client.query(`create database ${name}`);
    await client.end();
    return `${this.#postgres.url}/${name}`;
  }

  async addAdapter(): Promise<AdapterProcess> {
    const adapter = await startAdapterProcess({
      dataDir: join(this.directory, 'data'),
      release: this.#release,
      ...(this.#databaseUrl === undefined ? {} : { databaseUrl: this.#databaseUrl }),
      ...(this.#broker === undefined ? {} : { mqttUrl: this.#broker.url }),
    });
    this.adapters.push(adapter);
    return adapter;
  }

  async removeAdapter(): Promise<void> {
    await this.adapters.pop()?.stop();
  }

  /** Registers a fleet. @returns its VINs */
  async register(size: number): Promise<string[]> {
    const fleet = fleetOf(size);
    for (let start = 0; start < size; start += IMPORT_CHUNK) {
      const lines = fleet.slice(start, start + IMPORT_CHUNK).map(registrationLine);
      const content = { type: 'application/x-ndjson', body: lines.join('\n') };
      await this.adapter.client.call(registryApi.importVehicles, { content });
    }
    return fleet.map(({ vin }) => vin);
  }

  async trigger(refId: string, vins: readonly string[]): Promise<void> {
    const body = { model: 'm', 'ref-id': refId, 'script-ref-id': 's', vins: [...vins] };
    const event = { time: Date.now(), version: 'v1' as const, body };
    await this.adapter.client.call(triggerApi.trigger, { body: event });
  }

  async control(refId: string, action: 'pause' | 'cancel'): Promise<void> {
    const route = action === 'pause' ? controlApi.pauseOperation : controlApi.cancelOperation;
    await this.adapter.client.call(route, { params: { 'ref-id': refId } });
  }

  /**
   * An operation for events alone, paused so that nothing is sent.
   *
   * @returns a file with a line for each vehicle: VIN, system_id and trigger
   */
  async pausedOperation(refId: string, vins: readonly string[]): Promise<string> {
    await this.trigger(refId, vins.slice(0, 1));
    await this.control(refId, 'pause');
    await this.trigger(refId, vins);
    const file = join(this.directory, `${refId}.vehicles`);
    const lines: string[] = [];
    const ofOperation = { params: { 'ref-id': refId } };
    const all = this.adapter.client.items(operationApi.listOperationVehicles, ofOperation);
    for await (const { vin, triggerMessageId } of all) {
      lines.push(`${vin} c2c-sys-${vin} ${triggerMessageId.replace('msg-cld-', '')}`);
    }
    writeFileSync(file, lines.join('\n'));
    return file;
  }

  /** Connects the load to the broker. @param vehicles size of the operation */
  async connectLoad(refId: string, vehiclesFile: string, vehicles: number): Promise<void> {
    const embedded = this.kind === 'embedded';
    await this.load.connect({
      port: this.brokerPort,
      vehiclesFile,
      refId,
      run: `${refId}-${++this.#runs}`,
      connections: embedded ? vehicles : CONNECTIONS,
      asVehicles: embedded,
    });
  }

  /** Of the adapters and the servers, without the load; NaN if it cannot be determined. */
  processorSeconds(): ProcessorSeconds {
    const of = (pid: number | undefined) =>
      pid === undefined ? 0 : (processorSeconds(pid) ?? NaN);
    return {
      adapters: this.adapters.reduce((sum, { child }) => sum + of(child.pid), 0),
      postgres: of(this.#postgres?.pid),
      broker: of(this.#broker?.pid),
    };
  }

  get window(): number {
    return this.kind === 'embedded' ? VEHICLE_WINDOW : WINDOW;
  }

  async end(): Promise<void> {
    await this.load.end();
    for (const adapter of this.adapters.splice(0)) await adapter.stop();
    await this.#broker?.stop();
    await this.#postgres?.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Asks until it is so. */
export async function until(isSo: () => Promise<boolean>, everyMs = 20): Promise<void> {
  while (!(await isSo())) await sleep(everyMs);
}
