/** The load of the Director: vehicles that each go through update cycles over a few connections. */
import { performance } from 'node:perf_hooks';
import { directorApi } from '../contract/carota-api/index.js';
import { pathOf } from '../contract/http/index.js';
import { type CarotaProcess } from './carota-process.js';
import { benchManifest, type BenchVehicle } from './director-vehicle.js';
import { RawHttp } from './raw-http.js';

const CONNECTIONS = 200;

/** The script that every vehicle is to get, and the schedule that orders it. */
export const SCRIPT = 'bench-1';

export interface LoadResult {
  readonly cycles: number;
  readonly seconds: number;
  /** Bytes of all bodies. */
  readonly sent: number;
  readonly received: number;
  /** Processor time of the load itself, seconds. */
  readonly load: number;
}

export class DirectorLoad {
  readonly #carota: CarotaProcess;
  readonly #vehicles: readonly BenchVehicle[];

  constructor(carota: CarotaProcess, vehicles: readonly BenchVehicle[]) {
    this.#carota = carota;
    this.#vehicles = vehicles;
  }

  /** @param cycles of each vehicle @param onSigned called once all manifests are signed, before the first is sent */
  async run(cycles: number, onSigned = () => undefined as unknown): Promise<LoadResult> {
    const waiting: { vin: string; manifest: Buffer }[] = [];
    for (let cycle = 0; cycle < cycles; cycle++) {
      for (const vehicle of this.#vehicles) {
        waiting.push({ vin: vehicle.vin, manifest: await benchManifest(vehicle, new Date()) });
      }
    }
    waiting.reverse();
    // Now, because a server does not wait long for who connects and sends nothing.
    const connections = await this.#connect();
    onSigned();
    let [sent, received] = [0, 0];
    const start = performance.now();
    const before = process.cpuUsage();
    const drive = async (http: RawHttp) => {
      for (let next = waiting.pop(); next; next = waiting.pop()) {
        const answered = await cycleOf(http, next.vin, next.manifest);
        sent += next.manifest.length;
        received += answered;
      }
    };
    await Promise.all(connections.map(drive));
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(before);
    const load = (user + system) / 1e6;
    for (const http of connections) http.close();
    return { cycles: cycles * this.#vehicles.length, seconds, sent, received, load };
  }

  #connect(): Promise<RawHttp[]> {
    const { port, token } = this.#carota;
    const headers = { 'authorization-token': token };
    return Promise.all(Array.from({ length: CONNECTIONS }, () => RawHttp.connect(port, headers)));
  }
}

/** @returns bytes of the answers */
async function cycleOf(http: RawHttp, vin: string, manifest: Buffer): Promise<number> {
  const { sendManifest, getDirectorMetadata } = directorApi;
  const { status, body } = await http.ask('POST', pathOf(sendManifest, { vin }), manifest);
  if (status !== 204) throw new Error(`a manifest was answered ${status}: ${body.toString()}`);
  const get = async (file: string) => {
    const answer = await http.ask('GET', pathOf(getDirectorMetadata, { vin, file }));
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
