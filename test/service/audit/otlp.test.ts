/** The copy of the audit log over OTLP/HTTP: as the protocol specifies, complete, and repeated after any failure. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditExportLine, checkOf } from '../../../src/contract/index.js';
import { openSealKey, verifyChain } from '../../../src/service/chain/index.js';
import {
  AuditCopy,
  AuditSequencer,
  openOtlp,
  recordActions,
} from '../../../src/service/audit/index.js';
import { type Database } from '../../../src/service/database/index.js';
import { sampleOf } from '../../support/depth.js';
import { eventually, startTestAdapter } from '../../support/adapter.js';
import { openTestDatabase } from '../../support/databases.js';

interface Taken {
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  readonly body: any;
}

/** Answers as the test sets it up; keeps the requests that it answered 200. */
class Collector {
  readonly taken: Taken[] = [];
  /** Answers to the next requests; afterwards 200. `hang`: no answer. */
  readonly answers: (number | 'hang' | { readonly body: string })[] = [];
  /** Answers requests containing this text with this status. */
  refuses: { readonly status: number; readonly text: string } | undefined;
  requests = 0;
  #server: Server | undefined;
  #port = 0;

  async start(): Promise<void> {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.requests += 1;
        const text = gunzipSync(Buffer.concat(chunks)).toString();
        const { status: refusal, text: bad = '' } = this.refuses ?? {};
        const isBad = bad !== '' && text.includes(JSON.stringify(bad).slice(1, -1));
        const answer = isBad ? (refusal ?? 400) : (this.answers.shift() ?? 200);
        if (answer === 'hang') return;
        const status = typeof answer === 'number' ? answer : 200;
        if (status === 200) {
          const body = JSON.parse(text) as unknown;
          this.taken.push({ headers: request.headers, path: request.url ?? '', body });
        }
        const location = status === 307 ? { location: `${this.url}/elsewhere` } : {};
        response.writeHead(status, { 'content-type': 'application/json', ...location });
        response.end(typeof answer === 'object' ? answer.body : status === 204 ? '' : '{}');
      });
    });
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get records(): any[] {
    return this.taken.flatMap(({ body }) => body.resourceLogs[0].scopeLogs[0].logRecords as any[]);
  }

  /** Lines of entries in order of arrival, without repetitions. */
  get entries(): string[] {
    const texts = this.records.map(({ body }) => body.stringValue as string);
    return [...new Set(texts)].filter((text) => text.includes('"position"'));
  }
}

const collector = new Collector();
let folder: string;
let database: Database;
let close: () => Promise<void>;
let sequencer: AuditSequencer;
const failures: Error[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'otaops-otlp-'));
  ({ database, close } = await openTestDatabase());
  const signer = await openSealKey(folder, undefined);
  sequencer = new AuditSequencer({ database, clock: Date.now, signer, onFailure: () => undefined });
  await collector.start();
  failures.length = collector.taken.length = collector.requests = 0;
  collector.refuses = undefined;
});
afterEach(async () => {
  await collector.stop();
  await close();
  await rm(folder, { recursive: true });
});

const record = async (count: number) => {
  const by = { id: 't-1', name: 'Ada 😀', reason: 'why\nnot' };
  const entries = Array.from({ length: count }, () => ({
    vin: '5YJSA1E40FF345678',
    by,
    detail: { share: 0.5 },
    address: '192.0.2.7',
    outcome: 'refused' as const,
    errorCode: 'FORBIDDEN' as const,
    refId: 'schedule 0909',
  }));
  await recordActions(database, 'pause', entries, 1_795_800_000_123);
  await sequencer.run();
};
function startCopy(token?: string, path = '/v1/logs'): AuditCopy {
  const copy = new AuditCopy({
    database,
    log: 'adapter',
    transport: openOtlp({ url: collector.url + path, token }),
    onBehind: () => undefined,
    onFailure: (error) => failures.push(error),
  });
  copy.start();
  return copy;
}
const arrived = (count: number) =>
  eventually(
    () => Promise.resolve(collector.entries.length),
    (length) => length >= count,
  );
const sealArrived = () =>
  eventually(
    () => Promise.resolve(collector.records.at(-1)?.eventName),
    (name) => name === 'otaops.audit.seal',
  );

describe('The copy over OTLP', () => {
  it('is an ExportLogsServiceRequest in the JSON form of protobuf, with a verifiable chain and the seal', async () => {
    await record(250);
    const copy = startCopy('secret');
    await arrived(250);
    await sealArrived();
    await copy.stop();
    expect(await verifyChain(collector.entries)).toMatchObject({ intact: true, count: 250 });
    const check = checkOf(AuditExportLine);
    const lines = collector.records.map(({ body }) => JSON.parse(body.stringValue));
    expect(lines.flatMap((line) => check.errors(line))).toEqual([]);
    const [{ headers, path, body } = { headers: {}, path: '', body: undefined }] = collector.taken;
    expect([path, headers['content-type'], headers.authorization]).toEqual([
      '/v1/logs',
      'application/json',
      'Bearer secret',
    ]);
    expect(Object.keys(body)).toEqual(['resourceLogs']);
    const [{ resource, scopeLogs }] = body.resourceLogs;
    expect(resource.attributes).toContainEqual({
      key: 'service.name',
      value: { stringValue: 'otaops-adapter' },
    });
    const pid = resource.attributes.find(({ key }: any) => key === 'process.pid');
    expect(pid.value).toEqual({ intValue: String(process.pid) });
    expect(scopeLogs[0].scope).toEqual({ name: 'otaops.audit', version: expect.any(String) });
    const [first] = scopeLogs[0].logRecords;
    // 64-bit integers are text, enumerations integers, names in lowerCamelCase.
    expect(first).toEqual({
      timeUnixNano: '1795800000123000000',
      observedTimeUnixNano: expect.stringMatching(/^\d{19}$/),
      severityNumber: 13,
      severityText: 'WARN',
      eventName: 'otaops.audit.pause',
      body: { stringValue: collector.entries[0] },
      attributes: [
        { key: 'otaops.audit.position', value: { intValue: '1' } },
        { key: 'otaops.audit.action', value: { stringValue: 'pause' } },
        { key: 'otaops.audit.tokenId', value: { stringValue: 't-1' } },
        { key: 'otaops.audit.tokenName', value: { stringValue: 'Ada 😀' } },
        { key: 'otaops.audit.address', value: { stringValue: '192.0.2.7' } },
        { key: 'otaops.audit.errorCode', value: { stringValue: 'FORBIDDEN' } },
        { key: 'otaops.audit.vin', value: { stringValue: '5YJSA1E40FF345678' } },
        { key: 'otaops.audit.ref-id', value: { stringValue: 'schedule 0909' } },
        { key: 'otaops.audit.outcome', value: { stringValue: 'refused' } },
      ],
    });
    expect(JSON.parse(first.body.stringValue)).toMatchObject({ detail: { share: '0.5' } });
    expect(JSON.parse(collector.records.at(-1).body.stringValue)).toMatchObject({
      seal: { to: 250 },
    });
  });

  it.each(sampleOf([202, 204], 2))('counts as delivered after an answer %i', async (status) => {
    collector.answers.push(status, status);
    await record(3);
    const copy = startCopy();
    await eventually(
      async () => database.query<{ seal_id: number }>('select seal_id from audit.copies'),
      ([row]) => (row?.seal_id ?? 0) > 0,
    );
    await copy.stop();
    expect(failures).toEqual([]);
    // The entries and their seal.
    expect(collector.requests).toBe(2);
  });

  it.each(sampleOf([400, 413], 2))(
    'skips a line that is answered with %i, reports it, and continues',
    async (status) => {
      collector.refuses = { status, text: '"position":57,' };
      await record(250);
      const copy = startCopy();
      await sealArrived();
      await copy.stop();
      const positions = collector.entries.map((line) => Number(JSON.parse(line).position));
      expect(positions).toEqual(
        Array.from({ length: 250 }, (_, index) => index + 1).filter((position) => position !== 57),
      );
      expect(failures.map(({ message }) => message)).toEqual([
        `the receiver of OTLP answers to the record of pause (position 57) with ${status}: {}`,
      ]);
      expect(collector.requests).toBeLessThan(30);
    },
  );

  it.each(sampleOf([503, 429, 401, 307], 4))('is sent again after an answer %i', async (status) => {
    collector.answers.push(status);
    await record(3);
    const copy = startCopy();
    await arrived(3);
    await copy.stop();
    expect(failures.length).toBeGreaterThan(0);
    expect(collector.taken.every(({ path }) => path === '/v1/logs')).toBe(true);
    expect(await verifyChain(collector.entries)).toMatchObject({ intact: true, count: 3 });
  });

  it('does not wait for a receiver that hangs, and continues from its position after a restart', async () => {
    collector.answers.push('hang');
    await record(5);
    const hanging = startCopy();
    await eventually(
      () => Promise.resolve(collector.requests),
      (requests) => requests === 1,
    );
    // Neither the action nor the end of the server waits.
    await record(5);
    await hanging.stop();
    await collector.stop();
    const refused = startCopy();
    await eventually(
      () => Promise.resolve(failures.length),
      (length) => length > 0,
    );
    await refused.stop();
    await collector.start();
    const copy = startCopy();
    await arrived(10);
    await copy.stop();
    expect(await verifyChain(collector.entries)).toMatchObject({ intact: true, count: 10 });
  });

  it('does not repeat records that the receiver refused for good, and reports them', async () => {
    const answer = { partialSuccess: { rejectedLogRecords: '2', errorMessage: 'too old' } };
    collector.answers.push({ body: JSON.stringify(answer) });
    await record(3);
    const copy = startCopy();
    await sealArrived();
    await copy.stop();
    expect(failures.map(({ message }) => message)).toEqual(['of 3 records, 2 refused: too old']);
    expect(collector.records).toHaveLength(4);
  });

  it('is sent by only one of several servers at a time', async () => {
    const copies = [startCopy(), startCopy(), startCopy()];
    for (let n = 0; n < 4; n += 1) await record(20);
    await arrived(80);
    await Promise.all(copies.map((copy) => copy.stop()));
    expect(collector.records.filter(({ eventName }) => eventName === 'otaops.audit.pause')).toHaveLength(80); // prettier-ignore
  });
});

it('A token is sent only over TLS, or to this machine', () => {
  const token = 'secret';
  expect(() => openOtlp({ url: 'http://collector.example:4318/v1/logs', token })).toThrow(
    '--audit-otlp must be https if --audit-otlp-token is given',
  );
  expect(() => openOtlp({ url: 'http://[::1]:4318/v1/logs', token })).not.toThrow();
});

it('A server sends its own log, shows its position, and keeps the token out of the log', async () => {
  const t = await startTestAdapter({
    auditOtlp: `${collector.url}/v1/logs`,
    auditOtlpToken: 'secret',
  });
  await eventually(
    () => Promise.resolve(collector.entries.length),
    (length) => length > 0,
  );
  const start = collector.entries.find((line) => line.includes('"action":"start"')) ?? '';
  expect(JSON.parse(start).detail.settings.auditOtlpToken).toBe('set');
  expect(start).not.toContain('secret"');
  await eventually(
    async () => (await t.call('GET', '/v1.0/audit/status')).body.copies,
    (copies) => copies.some(({ name }: { name: string }) => name === 'otlp'),
  );
  await eventually(
    // The first batch arrives before the metric exists.
    () => t.metric('otaops_audit_copy_behind{copy="otlp"}').catch(() => undefined),
    (behind) => behind === 0,
  );
  await t.stop();
});
