/** A CarOTA Server with its own PostgreSQL, whose Director has an update of three ECUs for every vehicle. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import {
  artifactApi,
  ecuApi,
  scheduleApi,
  updateScriptApi,
  vehicleApi,
} from '../contract/carota-api/index.js';
import {
  installedPostgres,
  type Server,
  startPostgres,
  temporaryDirectory,
} from '../test-bed/index.js';
import { type CarotaProcess, startCarotaProcess } from './carota-process.js';
import { DirectorLoad, type LoadResult, SCRIPT } from './director-load.js';
import {
  type BenchVehicle,
  benchVehicle,
  ECU_NAMES,
  hardwareIdOf,
  registrationsOf,
} from './director-vehicle.js';
import { processorSeconds } from './processor-time.js';
import { POSTGRES_SETTINGS, until } from './rig.js';

const VEHICLES = 1_000;
/** Cycles of a vehicle before the measurement: until then, the server spends its time compiling hot code. */
const WARM_UP_CYCLES = 6;

/** A round and its cost. */
export interface Measured extends LoadResult {
  /** Processor time, seconds; NaN if it cannot be determined. */
  readonly carota: number;
  readonly postgres: number;
}

export class DirectorRig {
  readonly #directory: string;
  readonly #postgres: Server;
  readonly #carota: CarotaProcess;
  readonly #load: DirectorLoad;

  /** Warm: every vehicle has its files. @param release folder of the release whose server is run; this one else */
  static async start(release?: string): Promise<DirectorRig> {
    const directory = temporaryDirectory('director');
    const postgres = await startPostgres(await installedPostgres(), POSTGRES_SETTINGS);
    let carota: CarotaProcess | undefined;
    try {
      await inDatabase(`${postgres.url}/postgres`, 'create database bench');
      const databaseUrl = `${postgres.url}/bench`;
      carota = await startCarotaProcess({ dataDir: join(directory, 'data'), databaseUrl, release });
      const vehicles = Array.from({ length: VEHICLES }, (_, n) =>
        benchVehicle(`WVWZZZ1KZ${String(n).padStart(8, '0')}`),
      );
      await orderUpdate(carota, vehicles);
      const load = new DirectorLoad(carota, vehicles);
      for (let cycle = 0; cycle < WARM_UP_CYCLES; cycle++) await load.run(1);
      return new DirectorRig(directory, postgres, carota, load);
    } catch (error) {
      await end(directory, postgres, carota);
      throw error;
    }
  }

  private constructor(
    directory: string,
    postgres: Server,
    carota: CarotaProcess,
    load: DirectorLoad,
  ) {
    this.#directory = directory;
    this.#postgres = postgres;
    this.#carota = carota;
    this.#load = load;
  }

  /** @param cycles of each vehicle; its nonces of one second are limited */
  async run(cycles: number): Promise<Measured> {
    const used = () => ({
      carota: usedBy(this.#carota.child.pid),
      postgres: usedBy(this.#postgres.pid),
    });
    let before = used();
    const ran = await this.#load.run(cycles, () => (before = used()));
    const after = used();
    return {
      ...ran,
      carota: after.carota - before.carota,
      postgres: after.postgres - before.postgres,
    };
  }

  /** Every file must be signed again. */
  async expireFiles(): Promise<void> {
    await inDatabase(`${this.#postgres.url}/bench`, `update director_files set epoch = 'another'`);
  }

  async end(): Promise<void> {
    await end(this.#directory, this.#postgres, this.#carota);
  }
}

async function end(
  directory: string,
  postgres: Server,
  carota: CarotaProcess | undefined,
): Promise<void> {
  await carota?.stop();
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}

const usedBy = (pid: number | undefined) =>
  pid === undefined ? NaN : (processorSeconds(pid) ?? NaN);

async function inDatabase(url: string, statement: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

const MODEL = 'bench';

/** Registers the vehicles, and runs a schedule for all of them with an image for each Secondary. */
async function orderUpdate(
  { client }: CarotaProcess,
  vehicles: readonly BenchVehicle[],
): Promise<void> {
  const lines = (values: readonly object[]) => ({
    type: 'application/x-ndjson',
    body: values.map((value) => JSON.stringify(value)).join('\n'),
  });
  const facts = vehicles.map(({ vin }) => ({ vin, model: MODEL }));
  await client.call(vehicleApi.importVehicles, { content: lines(facts) });
  const ecus = vehicles.map((vehicle) => ({ vin: vehicle.vin, ecus: registrationsOf(vehicle) }));
  await client.call(ecuApi.importEcus, { content: lines(ecus) });
  const updates = [];
  for (const ecu of ECU_NAMES.slice(1)) {
    const { sha256, md5, size } = await client.call(artifactApi.uploadArtifact, {
      query: { name: 'bench', hardwareIds: hardwareIdOf(ecu), releaseCounter: 1 },
      content: { type: 'application/octet-stream', body: Buffer.from(`software of ${ecu}`) },
    });
    updates.push({ ecu, version: '2', artifact: { sha256, md5, size } });
  }
  const script = { version: 'v1' as const, 'script-ref-id': SCRIPT, model: MODEL, ecus: updates };
  const query = { hardwareIds: hardwareIdOf(ECU_NAMES[0]), releaseCounter: 1 };
  await client.call(updateScriptApi.publishScript, { query, body: script });
  const body = {
    'ref-id': SCRIPT,
    'script-ref-id': SCRIPT,
    model: MODEL,
    vins: vehicles.map(({ vin }) => vin),
  };
  await client.call(scheduleApi.createSchedule, { body });
  await until(async () => {
    const { waves } = await client.call(scheduleApi.getSchedule, { params: { 'ref-id': SCRIPT } });
    return waves.some(({ state }) => state === 'running' || state === 'passed');
  });
}
