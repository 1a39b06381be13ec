/** An adapter with operations, vehicles and events of several models, some of them mixed up. */
import { batchRow, ingestBatch } from '../../../src/adapter/d2c-receiver/index.js';
import { ADAPTER_SCHEMA } from '../../../src/adapter/schema.js';
import { type EventStatusName, topicTemplate } from '../../../src/contract/index.js';
import { type Database, openPostgres } from '../../../src/service/database/index.js';
import { eventually, startTestAdapter, type TestAdapter } from '../../support/adapter.js';
import { newDatabase } from '../../support/databases.js';
import { eventBytes } from '../../support/messages.js';
import {
  type Mark,
  modelOf,
  MODELS,
  type Named,
  named,
  NOBODYS,
  vinFor,
} from '../../support/scoped-names.js';
import { event } from './requests.js';

const d2cTopic = topicTemplate('d2c/{system_id}');
const systemIdOf = (vin: string) => `c2c-sys-${vin}`;

export interface Report {
  readonly refId: string;
  readonly vin: string;
  readonly messageId: string;
  readonly mark: string;
  readonly status?: EventStatusName;
}

export interface ScopedAdapter {
  readonly t: TestAdapter;
  readonly database: Database;
  readonly url: string;
  /** Operations of all models, with events. @returns their names */
  run(name: string): Promise<Readonly<Record<Mark, Named>>>;
  /** Stores events of vehicles. @returns the last one's position in the stream */
  report(...reports: Report[]): Promise<number>;
  register(vin: string, model: string): Promise<void>;
  tokenFor(role: string, scopes: readonly string[] | null): Promise<string>;
  stop(): Promise<void>;
}

export async function startScopedAdapter(): Promise<ScopedAdapter> {
  const stored = await newDatabase(ADAPTER_SCHEMA);
  const t = await startTestAdapter({ databaseUrl: stored.url });
  const database = openPostgres({ url: stored.url });
  const position = async () => {
    const { body } = await t.call('GET', '/v1.0/ota/events?limit=5000');
    return Number(body.cursor);
  };

  const register: ScopedAdapter['register'] = async (vin, model) => {
    const body = { system_id: systemIdOf(vin), model };
    const { status } = await t.call('PUT', `/v1.0/vehicles/${vin}`, { body });
    if (status >= 300) throw new Error(`registration: ${status}`);
  };

  const rowOf = ({ refId, vin, messageId, mark, status = 'failure' }: Report) => {
    const systemId = systemIdOf(vin);
    const timestamp = Date.now();
    const meta = [{ key: 'reason', value: `because of ${mark}` }];
    const payload = eventBytes(
      { vin, systemId },
      { messageId, correlationId: '', refId, status, timestamp, meta },
    );
    const topic = d2cTopic.of(systemId);
    return batchRow({ topic, payload, receivedAt: timestamp, publisher: null }, d2cTopic);
  };

  const report: ScopedAdapter['report'] = async (...reports) => {
    const before = await position();
    const { applied } = await ingestBatch(database, 9, reports.map(rowOf));
    return applied === 0 ? before : eventually(position, (now) => now >= before + applied);
  };

  const run: ScopedAdapter['run'] = async (name) => {
    const names = Object.fromEntries(MODELS.map((mark) => [mark, named(mark, name)])) as Record<
      Mark,
      Named
    >;
    const reports: Report[] = [];
    for (const [place, mark] of MODELS.entries()) {
      const own = names[mark];
      const next = MODELS[(place + 1) % MODELS.length] ?? mark;
      // An unlimited caller has triggered it for vehicles of another model and of no model, and for an unknown one.
      const vins = [
        own.vin,
        vinFor(mark, 2),
        vinFor(next, 3),
        ...NOBODYS.map((one) => vinFor(one)),
      ];
      const { status } = await t.call('POST', '/v1.0/ota/trigger', {
        body: event({ ...own, vins }),
      });
      if (status !== 202) throw new Error(`trigger: ${status}`);
      reports.push(
        own,
        { ...own, vin: vinFor(next, 3), messageId: `msg-dev-${next}-${name}`, mark: next },
        { ...own, vin: vinFor(mark, 2), messageId: `${own.messageId}-done`, status: 'success' },
      );
    }
    await report(...reports);
    return names;
  };

  for (const mark of MODELS) {
    for (const n of [1, 2, 3]) await register(vinFor(mark, n), modelOf(mark));
    // A report for an unknown operation becomes a dead letter.
    await report({ refId: `lost ${mark}`, vin: vinFor(mark), messageId: `lost ${mark}`, mark });
  }
  await register(vinFor('MARKN'), '');

  return {
    t,
    database,
    url: t.adapter.httpUrl,
    run,
    report,
    register,
    async tokenFor(role, scopes) {
      const body = { name: `limited ${role}`, role, ...(scopes ? { scopes } : {}) };
      const { status, body: made } = await t.call('POST', '/v1.0/tokens', { body });
      if (status !== 201) throw new Error(`token: ${status}`);
      return made.token as string;
    },
    async stop() {
      await database.close();
      await t.stop();
      await stored.drop();
    },
  };
}
