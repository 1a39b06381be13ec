/** A dead letter whose reason only another release knows is listed like any other, and can be replayed. */
import { expect, test } from 'vitest';
import { ADAPTER_SCHEMA } from '../../src/adapter/schema.js';
import { openPostgres } from '../../src/service/database/index.js';
import { startTestAdapter } from '../support/adapter.js';
import { newDatabase } from '../support/databases.js';
import { runCommand } from '../support/run-command.js';

test('a reason that the table lacks breaks neither the list nor the replay', async () => {
  const stored = await newDatabase(ADAPTER_SCHEMA);
  const t = await startTestAdapter({ databaseUrl: stored.url });
  const database = openPostgres({ url: stored.url });
  try {
    await database.query(
      `insert into dead_letters (id, digest, received_at, topic, sender, system_id, status, reason, path, detail,
         payload, payload_bytes)
       values (gen_random_uuid(), gen_random_uuid(), now(), 'd2c/c2c-sys-1', 'c2c-sys-1', 'c2c-sys-1', 'INVALID',
         'FROM_THE_FUTURE', '', 'a later check', 'no message', 10)`,
    );
    // The answer is compared with the contract.
    const { body } = await t.call('GET', '/v1.0/dead-letters');
    expect(body.items).toMatchObject([{ reason: 'FROM_THE_FUTURE' }]);
    const server = { OTAOPS_URL: t.adapter.httpUrl, OTAOPS_TOKEN: t.token };
    const listed = await runCommand(['dead-letters', 'list'], server);
    expect(listed.output).toMatch(/-  +c2c-sys-1  +INVALID  +FROM_THE_FUTURE /);
    expect(await t.metric('otaops_dead_letters{reason="FROM_THE_FUTURE"}')).toBe(1);
    const replay = await t.call('POST', '/v1.0/dead-letters/replay', { body: { filter: {} } });
    expect(replay.body).toEqual({ applied: 0, duplicates: 0, refused: 1, more: false });
  } finally {
    await database.close();
    await t.stop();
    await stored.drop();
  }
});
