/** Director, image repository and time server over HTTP, and a vehicle provisioned to trust them. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type ManifestFile, readManifest } from '../../../src/uptane/manifest/read-manifest.js';
import { readTimeRequest, timePayload } from '../../../src/uptane/time/signed-time.js';
import { type UpdateScript } from '../../../src/update-script/index.js';
import {
  AutomaticConsent,
  openVehicle,
  provisionVehicle,
  type RealVehicleOptions,
} from '../../../src/vehicle/index.js';
import { temporaryDirectory } from '../../support/servers.js';
import { makeKey, signFile, type TestKey } from '../../uptane/support/keys.js';
import { NOW, sha, TestRepository } from '../../uptane/support/test-repository.js';
import { IDENTITY, MODEL, PlatformDouble } from './platform-double.js';

export { NOW } from '../../uptane/support/test-repository.js';
export const VIN = IDENTITY.vin;

/** Serial number and hardware id of each ECU, by name. */
export const ECUS = {
  'OTA-MANAGER': { serial: 'ecu-0', hardwareId: 'hw-primary' },
  HU: { serial: 'ecu-1', hardwareId: 'hw-a' },
  TCU: { serial: 'ecu-2', hardwareId: 'hw-b' },
} as const;
export type TestEcu = 'HU' | 'TCU';

/** The image for each ECU. */
export type Bill = Partial<
  Record<TestEcu, { readonly version: string; readonly content: Buffer; readonly counter?: number }>
>;

type Answer = (path: string, request: IncomingMessage, response: ServerResponse) => boolean;

const isAdmission = (path: string) =>
  path.startsWith('/v1.0/schedules/') && path.endsWith('/admission');

export const ADMITTED = {
  status: 200,
  body: { admitted: true, retryAfter: null, reason: '' },
};

export class UptaneWorld {
  readonly director = new TestRepository('', '');
  readonly image = new TestRepository('metadata/', 'targets/');
  timeKey: TestKey = makeKey();
  /** The time server's time. */
  now = NOW;
  readonly manifests: ManifestFile[] = [];
  /** Path of each request to the two repositories. */
  requests: string[] = [];
  /** The same with the requests for admission. */
  readonly allRequests: string[] = [];
  /** Body bytes in and out. */
  readonly traffic = { sent: 0, received: 0 };
  /** An attacker on the path: if it returns true, it has answered in place of the server. */
  intercept: Answer = () => false;
  /** Answers time requests in place of a signed one. */
  timeAnswer: ((nonces: readonly string[]) => Buffer) | undefined;
  manifestStatus = 204;
  /** Answers of the CarOTA Server to requests for admission, first to last; the last one stays. */
  admissions: readonly { readonly status: number; readonly body: unknown }[] = [ADMITTED];
  url = '';
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  constructor() {
    this.director.targets.custom = { vin: VIN };
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Publishes a script and its images in the image repository, without ordering them. */
  offer(scriptRefId: string, bill: Bill, fields: Partial<UpdateScript> = {}): UpdateScript {
    const ecus = Object.entries(bill).map(([ecu, { version, content, counter = 1 }]) => {
      const { hardwareId } = ECUS[ecu as TestEcu];
      this.image.addImage(imageName(ecu, version), content, {
        match: { hardwareIds: [hardwareId], releaseCounter: counter },
      });
      const md5 = createHash('md5').update(content).digest('hex');
      return {
        ecu,
        version,
        artifact: { sha256: sha('sha256', content), md5, size: content.length },
      };
    });
    const script: UpdateScript = {
      ...{ version: 'v1', 'script-ref-id': scriptRefId, model: MODEL, ecus },
      ...fields,
    };
    this.image.addImage(scriptPath(scriptRefId), Buffer.from(JSON.stringify(script)), {
      match: { hardwareIds: [ECUS['OTA-MANAGER'].hardwareId], releaseCounter: 1 },
    });
    return script;
  }

  /** Orders the script and its images for the vehicle, replacing the previous order. */
  order(scriptRefId: string, bill: Bill): void {
    this.director.targets.targets = {};
    this.orderTarget(scriptPath(scriptRefId), 'OTA-MANAGER');
    for (const [ecu, { version }] of Object.entries(bill)) {
      this.orderTarget(imageName(ecu, version), ecu as TestEcu);
    }
  }

  orderTarget(path: string, ecu: keyof typeof ECUS): void {
    const { serial, hardwareId } = ECUS[ecu];
    const listed = this.image.targets.targets[path] as Record<string, any>;
    this.director.targets.targets[path] = {
      ...listed,
      custom: { ...listed.custom, ecuIdentifiers: { [serial]: { hardwareId } } },
    };
  }

  orderNothing(): void {
    this.director.targets.targets = {};
  }

  /** Publishes, orders and signs one update. */
  update(scriptRefId: string, bill: Bill, fields: Partial<UpdateScript> = {}): UpdateScript {
    const script = this.offer(scriptRefId, bill, fields);
    this.order(scriptRefId, bill);
    this.release();
    return script;
  }

  /** Signs all files again, starting with version 1. */
  release(): void {
    if (this.director.files.has('timestamp.json')) this.director.release();
    else this.director.publish();
    if (this.image.files.has('metadata/timestamp.json')) this.image.release();
    else this.image.publish();
  }

  /** The provisioning data of a vehicle. */
  get trust() {
    const root = (repository: TestRepository) => {
      if (!repository.files.has(repository.path('root', repository.roles.root.version))) {
        repository.publishRoot();
      }
      return repository.rootBytes;
    };
    return {
      directorRoot: root(this.director),
      imageRoot: root(this.image),
      timeKeys: Buffer.from(JSON.stringify(this.timeKey.listed)),
      now: NOW.getTime() - 1_000,
    };
  }

  signedTime(nonces: readonly string[], time = this.now, key = this.timeKey): Buffer {
    return signFile(timePayload(time, nonces), [key]);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    const asked = `${request.method === 'POST' ? 'POST ' : ''}${path}`;
    this.allRequests.push(asked);
    if (!isAdmission(path)) this.requests.push(asked);
    const body = await bodyOf(request);
    this.traffic.received += body.length;
    if (this.intercept(path, request, response)) return;
    if (request.method === 'POST') this.#answerPost(path, body, response);
    else this.#answerGet(path, request, response);
  }

  #answerPost(path: string, body: Buffer, response: ServerResponse): void {
    if (path === `/director/${VIN}/manifest`) {
      if (this.manifestStatus === 204) this.manifests.push(readManifest(body));
      const problem = this.manifestStatus === 204 ? '' : '{"errorMessage":"replayed"}';
      response.writeHead(this.manifestStatus).end(problem);
      return;
    }
    if (isAdmission(path)) {
      const [{ status, body: answer } = ADMITTED, ...others] = this.admissions;
      if (others.length > 0) this.admissions = others;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
      return;
    }
    const nonces = readTimeRequest(body);
    this.#send(response, this.timeAnswer?.(nonces) ?? this.signedTime(nonces));
  }

  #answerGet(path: string, request: IncomingMessage, response: ServerResponse): void {
    const file = this.fileAt(path);
    if (file === undefined) {
      response.writeHead(404).end('not found');
      return;
    }
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (from > 0) {
      response.writeHead(206, {
        'content-range': `bytes ${from}-${file.length - 1}/${file.length}`,
      });
    }
    this.#send(response, file.subarray(from));
  }

  #send(response: ServerResponse, body: Buffer): void {
    this.traffic.sent += body.length;
    response.end(body);
  }

  fileAt(path: string): Buffer | undefined {
    const inDirector = path.split(`/director/${VIN}/`)[1];
    if (inDirector !== undefined) return this.director.files.get(inDirector);
    const inImage = path.split('/image/')[1];
    return inImage === undefined ? undefined : this.image.files.get(inImage);
  }
}

export const scriptPath = (scriptRefId: string) => `scripts/${scriptRefId}.json`;
export const imageName = (ecu: string, version: string) => `artifacts/${ecu} ${version}.bin`;

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The vehicle's description. @param sockets of ECUs that run in their own process */
export const describeVehicle = (
  ecus: readonly TestEcu[] = ['HU'],
  details: Partial<Record<TestEcu, object>> = {},
): Buffer =>
  Buffer.from(
    JSON.stringify({
      vin: VIN,
      ecus: [
        { name: 'OTA-MANAGER', ...ECUS['OTA-MANAGER'], isPrimary: true },
        ...ecus.map((name) => ({ name, ...ECUS[name], version: '1.0.0', ...details[name] })),
      ],
    }),
  );

export interface UptaneVehicleOptions extends Partial<RealVehicleOptions> {
  readonly description?: Buffer;
}

/** Provisions a vehicle, unless its folder already is, and starts it. */
export function startUptaneVehicle(world: UptaneWorld, options: UptaneVehicleOptions = {}) {
  const { directory = temporaryDirectory('uptane-vehicle'), description, ...changed } = options;
  if (options.directory === undefined) {
    provisionVehicle(directory, description ?? describeVehicle(), world.trust);
  }
  const platform = new PlatformDouble();
  const refused: string[] = [];
  const distrusted: (string | undefined)[] = [];
  const vehicle = openVehicle({
    identity: IDENTITY,
    model: MODEL,
    link: platform,
    directory,
    carotaUrl: world.url,
    directorUrl: `${world.url}/director`,
    imageUrl: `${world.url}/image/`,
    carotaToken: 'secret-token',
    consent: new AutomaticConsent(true),
    pace: { progressSeconds: 0, lookMs: 5, checkSeconds: 60 },
    patience: { attempts: 2, pauseMs: 5, slowest: { bytes: 1_000, seconds: 0.5 } },
    onRefused: (why) => refused.push(why),
    onEcuRejection: ({ attack }) => distrusted.push(attack),
    ...changed,
  });
  vehicle.agent.goOnline();
  return {
    ...vehicle,
    platform,
    directory,
    refused,
    distrusted,
    async update(scriptRefId: string, triggerId?: string): Promise<void> {
      platform.trigger(scriptRefId, triggerId);
      await vehicle.agent.idle();
    },
    /** Events reported since the last call, without progress. */
    newStatuses: (() => {
      let seen = 0;
      return () => {
        const all = platform.statuses;
        const fresh = all.slice(seen);
        seen = all.length;
        return fresh;
      };
    })(),
  };
}
