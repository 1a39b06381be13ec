/** Two adapters of one group, on one database, each with its own embedded broker. */
import { rmSync } from 'node:fs';
import pino from 'pino';
import { type Adapter, startAdapter } from '../../src/adapter/index.js';
import { ADAPTER_SCHEMA } from '../../src/adapter/schema.js';
import { startTestAdapter, type TestAdapter } from './adapter.js';
import { newDatabase } from './databases.js';
import { SECRET_KEY } from './secret-key.js';
import { temporaryDirectory } from './servers.js';

export interface TestAdapterPair extends TestAdapter {
  /** The second adapter. */
  readonly other: Adapter;
  readonly databaseUrl: string;
}

export async function startTestAdapterPair(): Promise<TestAdapterPair> {
  const dataDir = temporaryDirectory('adapter');
  const { url: databaseUrl, drop } = await newDatabase(ADAPTER_SCHEMA);
  const first = await startTestAdapter({ databaseUrl });
  const other = await startAdapter(
    {
      ...{ host: '127.0.0.1', httpPort: 0, mqttPort: 0 },
      ...{ dataDir, databaseUrl, secretKeys: [SECRET_KEY] },
    },
    pino({ level: 'silent' }),
  );
  return {
    ...first,
    other,
    databaseUrl,
    async stop() {
      await other.stop();
      await first.stop();
      await drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
