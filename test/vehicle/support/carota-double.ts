/** A vehicle's servers, with the faults that a test chooses; everything published is also ordered. */
import { createHash } from 'node:crypto';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Artifact, type UpdateScript } from '../../../src/update-script/index.js';
import { type Custom } from '../../uptane/support/test-repository.js';
import { scriptPath, UptaneWorld, VIN } from './uptane-world.js';

export type Fault =
  /** The connection is closed after this many bytes of the file. */
  | { kind: 'truncate'; after: number; times: number }
  /** One byte is wrong. */
  | { kind: 'corrupt' }
  /** Nothing is sent after this many bytes. */
  | { kind: 'stall'; after: number; times: number }
  | { kind: 'status'; status: number; times: number }
  /** The file is longer or shorter than the script says. */
  | { kind: 'length'; by: number }
  /** After the first disconnect, the file is a different one of the same length. */
  | { kind: 'changed'; after: number }
  /** The server does not support ranges. */
  | { kind: 'no ranges'; after: number };

/** Names of the ECUs that vehicles may have behind their Primary. */
const FITTED = ['HU', 'TCU', 'GW'];
const ecuOf = (name: string) => ({ serial: `ecu-${name}`, hardwareId: `hw-${name}` });
const OTA_MANAGER = 'OTA-MANAGER';

/** The description of a vehicle. @param ecus versions by name */
export const describeEcus = (ecus: Readonly<Record<string, string>>): Buffer =>
  Buffer.from(
    JSON.stringify({
      vin: VIN,
      ecus: [
        { name: OTA_MANAGER, ...ecuOf(OTA_MANAGER), isPrimary: true },
        ...Object.entries(ecus).map(([name, version]) => ({ name, ...ecuOf(name), version })),
      ],
    }),
  );

export class CarotaDouble {
  readonly world = new UptaneWorld();
  /** Requests for artifacts. */
  readonly requests: { path: string; range: string | undefined; bytes: number }[] = [];
  fault: Fault | undefined;
  readonly #contents = new Map<string, Buffer>();
  #next: { readonly script: UpdateScript; readonly after: UpdateScript } | undefined;

  constructor() {
    this.world.intercept = (path, request, response) => {
      this.#orderNext(path);
      const [, sha256 = ''] =
        /^\/image\/targets\/artifacts\/[0-9a-f]+\.([0-9a-f]{64})$/.exec(path) ?? [];
      const file = this.#contents.get(sha256);
      if (file) this.#sendFile(file, sha256, path, request, response);
      return file !== undefined;
    };
  }

  get url(): string {
    return this.world.url;
  }

  close(): Promise<void> {
    return this.world.close();
  }

  artifact(bytes: Buffer): Artifact {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    this.#contents.set(sha256, bytes);
    const md5 = createHash('md5').update(bytes).digest('hex');
    return { sha256, md5, size: bytes.length };
  }

  /** Adds a script and its artifacts to the image repository, and orders them. @param as the script's name there */
  publish(script: UpdateScript, as = script['script-ref-id']): void {
    this.publishBytes(as, Buffer.from(JSON.stringify(script)), script);
  }

  /** As `publish`, with any bytes in place of the script. */
  publishBytes(scriptRefId: string, bytes: Buffer, { ecus }: Pick<UpdateScript, 'ecus'>): void {
    const { image, director } = this.world;
    const path = scriptPath(scriptRefId);
    image.addImage(path, bytes, match([OTA_MANAGER]));
    director.targets.targets = {};
    this.#order(path, [OTA_MANAGER]);
    for (const { artifact } of ecus) {
      const content = this.#contents.get(artifact.sha256) ?? Buffer.alloc(0);
      const artifactPath = `artifacts/${artifact.sha256}`;
      image.addImage(artifactPath, content, match(FITTED));
      const wanting = ecus.filter((other) => other.artifact.sha256 === artifact.sha256);
      const names = wanting.map(({ ecu }) => ecu).filter((ecu) => FITTED.includes(ecu));
      if (names.length > 0) this.#order(artifactPath, names);
    }
    this.world.release();
  }

  /** Publishes a script once the vehicle has reported the previous one's artifact. */
  publishAfter(after: UpdateScript, script: UpdateScript): void {
    this.#next = { script, after };
  }

  /** Like the Director, checks the last manifest when the timestamp is fetched. */
  #orderNext(path: string): void {
    if (!this.#next || !path.endsWith(`/director/${VIN}/timestamp.json`)) return;
    const { script, after } = this.#next;
    const installed = this.world.manifests.at(-1)?.reports.get(ecuOf('HU').serial)?.installed;
    if (installed?.hashes.get('sha256') !== after.ecus[0]?.artifact.sha256) return;
    this.#next = undefined;
    this.publish(script);
  }

  #order(path: string, names: readonly string[]): void {
    const listed = this.world.image.targets.targets[path] as Record<string, Custom>;
    const ecuIdentifiers = Object.fromEntries(
      names.map(ecuOf).map(({ serial, hardwareId }) => [serial, { hardwareId }]),
    );
    this.world.director.targets.targets[path] = {
      ...listed,
      custom: { ...listed.custom, ecuIdentifiers },
    };
  }

  #sendFile(
    content: Buffer,
    sha256: string,
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    let file = content;
    const { fault, requests } = this;
    let etag = `"${sha256}"`;
    const noted = { path, range: request.headers.range, bytes: 0 };
    requests.push(noted);
    if (fault?.kind === 'status' && fault.times > 0) {
      fault.times -= 1;
      response.writeHead(fault.status).end();
      return;
    }
    if (fault?.kind === 'length')
      file = Buffer.concat([file, Buffer.alloc(10)]).subarray(0, file.length + fault.by);
    if (fault?.kind === 'corrupt') {
      file = Buffer.from(file);
      file[file.length >> 1] = (file[file.length >> 1] ?? 0) ^ 1;
    }
    if (fault?.kind === 'changed' && requests.length > 1) {
      file = Buffer.alloc(file.length, 7);
      etag = '"another"';
    }
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const same = (request.headers['if-range'] ?? etag) === etag;
    const isRange = from > 0 && same && fault?.kind !== 'no ranges';
    const body = isRange ? file.subarray(from) : file;
    response.writeHead(isRange ? 206 : 200, {
      etag,
      'content-length': body.length,
      ...(isRange ? { 'content-range': `bytes ${from}-${file.length - 1}/${file.length}` } : {}),
    });
    const breaks =
      (fault?.kind === 'truncate' || fault?.kind === 'stall') && fault.times-- > 0
        ? fault
        : (fault?.kind === 'changed' || fault?.kind === 'no ranges') && requests.length === 1
          ? fault
          : undefined;
    if (!breaks) {
      noted.bytes = body.length;
      response.end(body);
      return;
    }
    noted.bytes = Math.min(breaks.after, body.length);
    response.write(body.subarray(0, breaks.after), () => {
      if (breaks.kind !== 'stall') setTimeout(() => response.destroy(), 50);
    });
  }
}

const match = (ecus: readonly string[]) => ({
  match: { hardwareIds: ecus.map((name) => ecuOf(name).hardwareId), releaseCounter: 1 },
});

export async function startCarotaDouble(): Promise<CarotaDouble> {
  const carota = new CarotaDouble();
  await carota.world.start();
  return carota;
}
