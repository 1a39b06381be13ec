/** The Director: cycles a second, each a manifest of three ECUs, then timestamp, snapshot and targets of an update. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import pg from 'pg';
import { ecuApi, scheduleApi, updateScriptApi, vehicleApi } from '../contract/carota-api/index.js';
import { type CarotaProcess, startCarotaProcess } from './carota-process.js';
import {
  benchManifest,
  type BenchVehicle,
  benchVehicle,
  ECU_NAMES,
  hardwareIdOf,
  registrationsOf,
} from './director-vehicle.js';
import { processorSeconds } from './processor-time.js';
import { RawHttp } from './raw-http.js';
import { median } from './report.js';
import { POSTGRES_SETTINGS, until } from './rig.js';
import {
  installedPostgres,
  type Server,
  startPostgres,
  temporaryDirectory,
} from '../test-bed/index.js';

export interface DirectorFigures {
  /** Medians of the rounds. */
  readonly cyclesPerSecond: number;
  /** µs of processor time for a cycle; NaN where nothing tells. */
  readonly carota: number;
  readonly postgres: number;
  /** Bytes of a cycle on the wire, headers not included. */
  readonly sent: number;
  readonly received: number;
  /** Cycles a second in which every file is signed anew. */
  readonly signedAnew: number;
}

const VEHICLES = 1_000;
const CONNECTIONS = 48;
/** Of a vehicle in a round; its nonces of one second are limited. */
const CYCLES = 3;
/** Of a vehicle before anything is measured: until then a server's time goes into compiling what it does often. */
const WARM_UP_CYCLES = 6;

export async function directorFigures(rounds: number): Promise<DirectorFigures> {
  const directory = temporaryDirectory('director');
  const postgres = await startPostgres(await installedPostgres(), POSTGRES_SETTINGS);
  try {
    await inDatabase(`${postgres.url}/postgres`, 'create database bench');
    const databaseUrl = `${postgres.url}/bench`;
    const carota = await startCarotaProcess({ dataDir: join(directory, 'data'), databaseUrl });
    try {
      return await measure(carota, postgres, databaseUrl, rounds);
    } finally {
      await carota.stop();
    }
  } finally {
    await postgres.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measure(
  carota: CarotaProcess,
  postgres: Server,
  databaseUrl: string,
  rounds: number,
): Promise<DirectorFigures> {
  const vehicles = Array.from({ length: VEHICLES }, (_, n) =>
    benchVehicle(`WVWZZZ1KZ${String(n).padStart(8, '0')}`),
  );
  await orderUpdate(carota, vehicles);
  const load = await DirectorLoad.connect(carota, vehicles);
  // Signs every vehicle's files.
  const first = await load.run(1);
  // One at a time: their manifests are signed while the connections wait, which the server allows for so long.
  for (let cycle = 1; cycle < WARM_UP_CYCLES; cycle++) await load.run(1);
  const perCycle = { carota: [] as number[], postgres: [] as number[] };
  const rates: number[] = [];
  let last = first;
  for (let round = 0; round < rounds; round++) {
    const before = { carota: used(carota.child.pid), postgres: used(postgres.pid) };
    last = await load.run(CYCLES);
    rates.push(last.cycles / last.seconds);
    perCycle.carota.push(((used(carota.child.pid) - before.carota) / last.cycles) * 1e6);
    perCycle.postgres.push(((used(postgres.pid) - before.postgres) / last.cycles) * 1e6);
  }
  const anew: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await inDatabase(databaseUrl, `update director_files set epoch = 'another'`);
    const { cycles, seconds } = await load.run(1);
    anew.push(cycles / seconds);
  }
  load.close();
  return {
    cyclesPerSecond: median(rates),
    carota: median(perCycle.carota),
    postgres: median(perCycle.postgres),
    sent: last.sent / last.cycles,
    received: last.received / last.cycles,
    signedAnew: median(anew),
  };
}

const used = (pid: number | undefined) =>
  pid === undefined ? NaN : (processorSeconds(pid) ?? NaN);

async function inDatabase(url: string, statement: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

const MODEL = 'bench';
const SCRIPT = 'bench-1';

/** Registers the vehicles, and runs a schedule for all of them with an image for each Secondary. */
async function orderUpdate(
  { client, port, token }: CarotaProcess,
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
  const http = await RawHttp.connect(port, {
    'authorization-token': token,
    'content-type': 'application/octet-stream',
  });
  const updates = [];
  for (const ecu of ECU_NAMES.slice(1)) {
    const bytes = Buffer.from(`software of ${ecu}`);
    const query = `name=bench&hardwareIds=${hardwareIdOf(ecu)}&releaseCounter=1`;
    const { body } = await http.ask('POST', `/v1.0/artifacts?${query}`, bytes);
    const artifact = JSON.parse(body.toString()) as { sha256: string; md5: string; size: number };
    const { sha256, md5, size } = artifact;
    updates.push({ ecu, version: '2', artifact: { sha256, md5, size } });
  }
  http.close();
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

interface Ran {
  readonly cycles: number;
  readonly seconds: number;
  /** Bytes of all bodies. */
  readonly sent: number;
  readonly received: number;
}

class DirectorLoad {
  readonly #vehicles: readonly BenchVehicle[];
  readonly #connections: readonly RawHttp[];

  static async connect(
    { port, token }: CarotaProcess,
    vehicles: readonly BenchVehicle[],
  ): Promise<DirectorLoad> {
    const headers = { 'authorization-token': token };
    const connections = Array.from({ length: CONNECTIONS }, () => RawHttp.connect(port, headers));
    return new DirectorLoad(vehicles, await Promise.all(connections));
  }

  private constructor(vehicles: readonly BenchVehicle[], connections: readonly RawHttp[]) {
    this.#vehicles = vehicles;
    this.#connections = connections;
  }

  /** Manifests are signed before the time is taken. @param cycles of each vehicle */
  async run(cycles: number): Promise<Ran> {
    const waiting: { vin: string; manifest: Buffer }[] = [];
    for (let cycle = 0; cycle < cycles; cycle++) {
      for (const vehicle of this.#vehicles) {
        waiting.push({ vin: vehicle.vin, manifest: await benchManifest(vehicle, new Date()) });
      }
    }
    waiting.reverse();
    let [sent, received] = [0, 0];
    const start = performance.now();
    const drive = async (http: RawHttp) => {
      for (let next = waiting.pop(); next; next = waiting.pop()) {
        const answered = await cycleOf(http, next.vin, next.manifest);
        sent += next.manifest.length;
        received += answered;
      }
    };
    await Promise.all(this.#connections.map(drive));
    const seconds = (performance.now() - start) / 1000;
    return { cycles: cycles * this.#vehicles.length, seconds, sent, received };
  }

  close(): void {
    for (const http of this.#connections) http.close();
  }
}

/** @returns bytes of the answers */
async function cycleOf(http: RawHttp, vin: string, manifest: Buffer): Promise<number> {
  const director = `/uptane/director/${vin}`;
  const { status, body } = await http.ask('POST', `${director}/manifest`, manifest);
  if (status !== 204) throw new Error(`a manifest was answered ${status}: ${body.toString()}`);
  const get = async (file: string) => {
    const answer = await http.ask('GET', `${director}/${file}`);
    if (answer.status === 200) return answer.body;
    throw new Error(`${file} was answered ${answer.status}: ${answer.body.toString()}`);
  };
  const timestamp = await get('timestamp.json');
  const snapshot = await get(`${versionIn(timestamp)}.snapshot.json`);
  const targets = await get(`${versionIn(snapshot)}.targets.json`);
  if (!targets.includes(`scripts/${SCRIPT}.json`)) throw new Error('the update is not listed');
  return timestamp.length + snapshot.length + targets.length;
}

/** Of the file that timestamp or snapshot lists. */
const versionIn = (file: Buffer): string =>
  /"meta":\{"(?:snapshot|targets)\.json":\{[^}]*(?:\{[^}]*\})?[^}]*"version":(\d+)/.exec(
    file.toString('latin1'),
  )?.[1] ?? '';
