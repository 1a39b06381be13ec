/**
 * Both servers as processes, as they are in production: vehicles have client certificates of an authority that OpenSSL keeps,
 * behind `--enrolment-command`, and no port is open to them without TLS.
 */
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { ADAPTER_SCHEMA } from '../../../src/adapter/schema.js';
import { CAROTA_SCHEMA } from '../../../src/carota/schema.js';
import { type Database, openPostgres } from '../../../src/service/database/index.js';
import { provisionVehicle } from '../../../src/vehicle/index.js';
import { httpClient } from '../../support/adapter.js';
import { newDatabase } from '../../support/databases.js';
import { type TestVehicle } from '../../support/messages.js';
import { type OpensslAuthority, openssl } from '../../support/openssl-authority.js';
import { firstToken, otaops, type OtaopsProcess } from '../../support/process.js';
import { SECRET_KEY } from '../../support/secret-key.js';
import { freePort, temporaryDirectory } from '../../support/servers.js';

const MODEL = 'vehicle model a';
const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const HEAD_UNIT = 'hw-hu';
const PRIMARY = 'hw-primary';

/** Certificates are backdated by this, s, so they are soon due for renewal and yet remain valid for long. */
const BACKDATED = 2 * 60 * 60;
/** From issue to renewal, s. */
const RENEWED_AFTER = 15;

/** How the adapter and the vehicles reach the broker. */
interface CertifiedBroker {
  /** Flags of `otaops serve`. */
  readonly flags: readonly string[];
  /** URL for vehicles; undefined: the one that the adapter reports. */
  readonly url?: string;
}

interface CertifiedServersOptions {
  /** Undefined: the embedded broker. */
  readonly broker?: CertifiedBroker;
  /** Authority of the servers' own certificates. */
  readonly servers: OpensslAuthority;
  readonly vehicles: OpensslAuthority;
}

type Client = ReturnType<typeof httpClient>;

export class CertifiedServers {
  readonly directory = temporaryDirectory('certified');
  readonly #options: CertifiedServersOptions;
  readonly #processes: OtaopsProcess[] = [];
  readonly #closing: (() => Promise<void>)[] = [];
  /** The revocation list in force, among the files that the authority has written. */
  readonly #crl = join(this.directory, 'vehicle-crl.pem');
  serve!: OtaopsProcess;
  adapter!: Client;
  carota!: Client;
  /** The adapter's database. */
  database!: Database;
  mqttUrl = '';
  /** URL of the vehicle port of the CarOTA Server. */
  vehicleUrl = '';
  #trust!: Parameters<typeof provisionVehicle>[2];

  constructor(options: CertifiedServersOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { servers, vehicles, broker } = this.#options;
    copyFileSync(vehicles.crl, this.#crl);
    const { cert, key } = servers.server();
    const { url, drop } = await newDatabase(ADAPTER_SCHEMA);
    this.#closing.push(drop);
    const database = openPostgres({ url });
    this.#closing.push(() => database.close());
    this.database = database;
    const planning = await newDatabase(CAROTA_SCHEMA);
    this.#closing.push(planning.drop);
    const [carotaPort, vehiclePort] = [await freePort(), await freePort()];
    const callBack = `http://127.0.0.1:${carotaPort}/v1.0/ota/events`;
    const accepted = ['--vehicle-ca', vehicles.ca, '--vehicle-crl', this.#crl];
    const serve = (this.serve = this.run([
      ...['serve', '--http-port', '0', '--data-dir', join(this.directory, 'adapter')],
      ...['--database-url', url],
      ...(broker?.flags ?? [
        ...['--mqtts-port', '0', '--mqtt-plain', '0', ...accepted],
        ...['--mqtt-tls-cert', cert, '--mqtt-tls-key', key],
      ]),
      ...['--callback-url', callBack, '--callback-secret', SECRET],
      ...['--secret-key', SECRET_KEY],
      ...['--callback-allow', '127.0.0.0/8'],
    ]));
    const [, adapterUrl = ''] = await serve.says(/HTTP interface\s+(http:\S+)/);
    this.mqttUrl = broker?.url ?? (await serve.says(/(mqtts:\S+)/))[1] ?? '';
    this.adapter = httpClient(adapterUrl, await firstToken(serve));
    const tokenOf = async (role: string) =>
      (await this.adapter.call('POST', '/v1.0/tokens', { body: { role, name: role } })).body.token;
    const carota = this.run([
      ...[
        'carota',
        '--http-port',
        String(carotaPort),
        '--data-dir',
        join(this.directory, 'carota'),
      ],
      ...['--database-url', planning.url, '--secret-key', SECRET_KEY],
      ...['--adapter-url', adapterUrl, '--callback-secret', SECRET],
      ...['--adapter-token', await tokenOf('carota')],
      ...['--adapter-control-token', await tokenOf('operator')],
      ...['--vehicle-port', String(vehiclePort), ...accepted],
      ...['--vehicle-tls-cert', cert, '--vehicle-tls-key', key],
      // Artifacts come over the same port.
      ...['--public-url', `https://127.0.0.1:${vehiclePort}`],
      ...['--enrolment-command', this.#enrolmentCommand(vehicles)],
    ]);
    const [, carotaUrl = ''] = await carota.says(/HTTP interface\s+(http:\S+)/);
    const printed = async (pattern: RegExp) => readFileSync((await carota.says(pattern))[1] ?? '');
    this.vehicleUrl = (await carota.says(/Vehicles\s+(https:\S+)/))[1] ?? '';
    this.#trust = {
      imageRoot: await printed(/vehicles trust (\S+image\S*root\S*)/),
      directorRoot: await printed(/vehicles trust (\S+director\S*root\S*)/),
      timeKeys: await printed(/the time by (\S+)/),
      now: Date.now(),
    };
    this.carota = httpClient(carotaUrl, await firstToken(carota));
  }

  /** Starts a process that ends with the servers. */
  run(args: readonly string[]): OtaopsProcess {
    const started = otaops([...args], {}, this.directory);
    this.#processes.push(started);
    return started;
  }

  /** Provisions a vehicle as a factory does, and registers it with its ECUs at both servers. */
  async make({ vin, systemId }: TestVehicle): Promise<void> {
    const registered = await this.adapter.call('PUT', `/v1.0/vehicles/${vin}`, {
      body: { system_id: systemId, device_id: 'tcu-1', ecu_type: 'TCU', model: MODEL },
    });
    expect(registered.status, JSON.stringify(registered.body)).toBeLessThan(300);
    await this.carota.call('PUT', `/v1.0/vehicles/${vin}`, {
      body: { model: MODEL, system_id: systemId, versions: { HU: '1.0.0' } },
    });
    const description = {
      vin,
      ecus: [
        { serial: `P-${vin}`, name: 'OTA-MANAGER', hardwareId: PRIMARY, isPrimary: true },
        { serial: `H-${vin}`, name: 'HU', hardwareId: HEAD_UNIT, version: '1.0.0' },
      ],
    };
    const bytes = Buffer.from(JSON.stringify(description));
    const ecus = provisionVehicle(this.folderOf(vin), bytes, this.#trust);
    const imported = await this.carota.call('POST', '/v1.0/ecus/import', {
      headers: { 'content-type': 'application/x-ndjson' },
      body: JSON.stringify({ vin, ecus }),
    });
    expect(imported.body).toMatchObject({ imported: 1 });
  }

  /** The agent's data directory. */
  folderOf(vin: string): string {
    return join(this.directory, 'vehicles', vin);
  }

  /** Creates a one-time enrolment code. */
  async codeFor({ vin }: TestVehicle): Promise<string> {
    return (await this.carota.call('POST', `/v1.0/vehicles/${vin}/enrolment-codes`)).body.code;
  }

  /** Starts the real agent; without a code, it uses the certificate that it has. */
  startAgent(vehicle: TestVehicle, code: string | undefined, extra: readonly string[] = []) {
    return this.run([
      ...['vehicle', '--vin', vehicle.vin, '--model', MODEL, '--system-id', vehicle.systemId],
      ...['--vehicle-dir', this.folderOf(vehicle.vin), '--ca', this.#options.servers.ca],
      ...['--mqtt-url', this.mqttUrl, '--carota-url', this.vehicleUrl],
      ...(code === undefined ? [] : ['--enrolment-code', code]),
      ...['--consent', 'accept', '--progress-seconds', '0.2', '--progress-percent', '1', ...extra],
    ]);
  }

  /** Uploads software and script, and starts a schedule for these vehicles. @param bytes size of the artifact */
  async begin(refId: string, version: string, vins: readonly string[], bytes: number) {
    const created = async (path: string, options: Parameters<Client['call']>[2]) => {
      const { status, body } = await this.carota.call('POST', path, options);
      expect(status, JSON.stringify(body)).toBe(201);
      return body;
    };
    const { sha256, md5, size } = await created(
      `/v1.0/artifacts?name=${version}&hardwareIds=${HEAD_UNIT}&releaseCounter=1`,
      {
        headers: { 'content-type': 'application/octet-stream' },
        body: Buffer.alloc(bytes, version),
      },
    );
    await created(`/v1.0/update-scripts?hardwareIds=${PRIMARY}&releaseCounter=1`, {
      body: {
        version: 'v1',
        'script-ref-id': `script of ${refId}`,
        model: MODEL,
        ecus: [{ ecu: 'HU', version, from: ['1.*'], artifact: { sha256, md5, size } }],
        consent: { text: 'Now?' },
      },
    });
    await created('/v1.0/schedules', {
      body: {
        'ref-id': refId,
        'script-ref-id': `script of ${refId}`,
        model: MODEL,
        vins,
        waves: [],
        guard: { maxFailures: 3, soak: 0 },
      },
    });
  }

  /** State and history of a vehicle in an operation, from the adapter. */
  async stateOf(refId: string, vin: string): Promise<any> {
    const path = `/v1.0/ota/operations/${encodeURIComponent(refId)}/vehicles/${vin}`;
    return (await this.adapter.call('GET', path)).body;
  }

  /** Revokes a vehicle's certificate in the list of its authority. @param cert PEM file */
  revoke(cert: string): void {
    const { vehicles } = this.#options;
    vehicles.revoke({ cert, key: '' });
    copyFileSync(vehicles.crl, this.#crl);
  }

  /** @returns the exit codes of all processes */
  async stop(): Promise<(number | string)[]> {
    for (const { child } of this.#processes.toReversed()) child.kill('SIGTERM');
    const ended = await Promise.all(this.#processes.map((one) => one.ended));
    for (const close of this.#closing.toReversed()) await close();
    rmSync(this.directory, { recursive: true, force: true });
    return ended;
  }

  /** A command as an administrator would have: one request at a time, as `openssl ca` requires. */
  #enrolmentCommand({ folder }: OpensslAuthority): string {
    const script = join(folder, 'issue.sh');
    const validity = BACKDATED / 2 + RENEWED_AFTER * 1.5;
    writeFileSync(
      script,
      `set -eu
cd ${folder}
exec 9>lock
flock 9
cat > in.csr
echo extendedKeyUsage=clientAuth > in.ext
from=$(date -u -d "-${BACKDATED} seconds" +%Y%m%d%H%M%SZ)
until=$(date -u -d "+${validity} seconds" +%Y%m%d%H%M%SZ)
openssl ca -config ca.cnf -batch -notext -in in.csr -extfile in.ext -startdate "$from" -enddate "$until" -out out.pem 2>&-
cat out.pem
`,
    );
    return `sh ${script}`;
  }
}

/** The serial number of the first certificate in a PEM file, as OpenSSL prints it. */
export const serialIn = (file: string): string =>
  openssl('.', 'x509', '-in', file, '-noout', '-serial').trim().replace('serial=', '');
