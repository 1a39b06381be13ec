/** A CarOTA Server with schedules, scripts, vehicles and events of several models, some of them mixed up. */
import { type Database, openPostgres } from '../../../src/service/database/index.js';
import {
  type Mark,
  modelOf,
  MODELS,
  type Named,
  named,
  NOBODYS,
  vinFor,
} from '../../support/scoped-names.js';
import {
  type AdapterDouble,
  eventOf,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../support/test-carota.js';

export interface ScopedCarota {
  readonly carota: TestCarota;
  readonly database: Database;
  readonly url: string;
  /** Creates a schedule per model, with events; each waits for its approval. @returns their names */
  run(name: string): Promise<Readonly<Record<Mark, Named>>>;
  store(vin: string, model: string): Promise<void>;
  tokenFor(role: string, scopes: readonly string[] | null): Promise<string>;
  stop(): Promise<void>;
}

export async function startScopedCarota(): Promise<ScopedCarota> {
  const adapter: AdapterDouble = await startAdapterDouble();
  const carota = await startTestCarota(adapter.url, { approval: 'anyone' });
  const database = openPostgres({ url: carota.databaseUrl });
  const done = async (method: string, path: string, body: unknown) => {
    const answer = await carota.call(method, path, { body });
    if (answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const store: ScopedCarota['store'] = (vin, model) =>
    done('PUT', `/v1.0/vehicles/${vin}`, { model, tags: [`tag of ${model}`] });

  const run: ScopedCarota['run'] = async (name) => {
    const names = Object.fromEntries(MODELS.map((mark) => [mark, named(mark, name)])) as Record<
      Mark,
      Named
    >;
    for (const [place, mark] of MODELS.entries()) {
      const { refId, script, model, vin } = names[mark];
      const next = MODELS[(place + 1) % MODELS.length] ?? mark;
      // An unlimited caller planned it also for vehicles of another model, and for unknown ones.
      const mixed = vinFor(next, 3);
      await done('POST', '/v1.0/schedules', {
        ...{ 'ref-id': refId, 'script-ref-id': script, model },
        vins: [vin, vinFor(mark, 2), mixed, ...NOBODYS.map((one) => vinFor(one))],
        waves: [{ vins: [vin, mixed] }],
      });
      const meta = [{ key: 'reason', value: `because of ${next}` }];
      const { status } = await carota.callBack([
        eventOf({ refId, vin, status: 'failure' }),
        eventOf({ refId, vin: mixed, status: 'failure', meta }),
      ]);
      if (status >= 300) throw new Error(`call-back: ${status}`);
    }
    return names;
  };

  const { sha256, md5, size } = await carota.upload(Buffer.from('software'));
  for (const mark of MODELS) {
    for (const n of [1, 2, 3]) await store(vinFor(mark, n), modelOf(mark));
    await done('POST', '/v1.0/update-scripts', {
      ...{ version: 'v1', 'script-ref-id': named(mark, '').script, model: modelOf(mark) },
      ecus: [{ ecu: 'HU', version: '1.1.0', artifact: { sha256, md5, size } }],
    });
  }

  return {
    carota,
    database,
    url: carota.carota.httpUrl,
    run,
    store,
    async tokenFor(role, scopes) {
      const limit = scopes ? { scopes } : {};
      return (await done('POST', '/v1.0/tokens', { name: `limited ${role}`, role, ...limit }))
        .token;
    },
    async stop() {
      await database.close();
      await carota.stop();
      await adapter.stop();
    },
  };
}
