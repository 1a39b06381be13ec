/**
 * A server is killed (SIGKILL) between a change and its entry in the audit log: either both exist or neither. The
 * server is a separate process; its database outlives it.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { ADAPTER_SCHEMA } from '../../../src/adapter/schema.js';
import { eventually, httpClient } from '../../support/adapter.js';
import { newDatabase } from '../../support/databases.js';
import { byDepth, seed, takingTurns } from '../../support/depth.js';
import { vinOf } from '../../support/messages.js';
import { otaops, type OtaopsProcess } from '../../support/process.js';
import { temporaryDirectory } from '../../support/servers.js';

const isTurn = takingTurns(2);
const ROUNDS = byDepth({ quick: 1, full: 10 });
const AT_ONCE = 24;
const folder = temporaryDirectory('killed');
const { url, drop } = await newDatabase(ADAPTER_SCHEMA);
const processes: OtaopsProcess[] = [];
afterAll(async () => {
  for (const { child } of processes) child.kill('SIGKILL');
  await Promise.all(processes.map(({ ended }) => ended));
  await drop();
  rmSync(folder, { recursive: true, force: true });
});

async function startServer() {
  const server = otaops([
    ...['serve', '--http-port', '0', '--mqtt-port', '0', '--data-dir', folder],
    ...['--database-url', url],
  ]);
  processes.push(server);
  const [, httpUrl = ''] = await server.says(/HTTP interface\s+(http:\S+)/);
  const token = readFileSync(join(folder, 'token'), 'utf8').trim();
  const kill = async () => {
    server.child.kill('SIGKILL');
    expect(await server.ended).toBe('SIGKILL');
  };
  return { ...httpClient(httpUrl, token), kill };
}

async function database<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  await client.connect();
  return work(client).finally(() => client.end());
}

/** VINs in the registry, and VINs whose registration is in the audit log. */
const found = () =>
  database(async (client) => {
    // Waits until the killed server's transactions have ended.
    await eventually(
      async () =>
        (
          await client.query(
            `select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
             and backend_type = 'client backend'`,
          )
        ).rowCount,
      (others) => others === 0,
    );
    const vins = async (text: string) =>
      (await client.query<{ vin: string }>(text)).rows.map(({ vin }) => vin);
    return {
      registered: await vins('select vin from vehicles order by vin'),
      recorded: await vins(
        `select vin from audit.entries where action = 'register-vehicle' and outcome = 'done' order by vin`,
      ),
    };
  });

const register = (server: Awaited<ReturnType<typeof startServer>>, n: number) =>
  server.call('PUT', `/v1.0/vehicles/${vinOf(n, 'KLD')}`, {
    body: { system_id: `c2c-sys-killed-${n}`, device_id: 'd', ecu_type: 'TCU' },
  });

test.runIf(isTurn())(
  'a server killed after the change, while its entry waits, leaves neither',
  async () => {
    const server = await startServer();
    const [first, second] = [await register(server, 1), await register(server, 2)];
    expect([first.status, second.status].every((status) => status < 300)).toBe(true);
    await database(async (client) => {
      await client.query('begin; lock table audit.entries in share mode');
      const answer = register(server, 3).catch(() => 'no answer');
      // Not in the same transaction, which would keep seeing its first snapshot of the view.
      await database((watch) =>
        eventually(
          async () =>
            (
              await watch.query(
                `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
             and query like 'insert into audit.entries%'`,
              )
            ).rowCount,
          (waiting) => waiting === 1,
        ),
      );
      // The change has been made in an open transaction.
      await server.kill();
      expect(await answer).toBe('no answer');
      await client.query('commit');
    });
    const { registered, recorded } = await found();
    expect(recorded).toEqual(registered);
    expect(registered).toEqual([vinOf(1, 'KLD'), vinOf(2, 'KLD')]);
  },
);

test.runIf(isTurn())(
  'a server killed at any moment of many changes has recorded exactly the changes made',
  async () => {
    const answered: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const server = await startServer();
      // The seed decides after how many answers the server is killed.
      let left = 1 + ((seed + round * 7) % (AT_ONCE - 4));
      const dead = new Promise<void>((resolve, reject) => {
        for (let n = 0; n < AT_ONCE; n += 1) {
          const number = 100 + round * AT_ONCE + n;
          register(server, number).then(
            ({ status }) => {
              if (status < 300) answered.push(vinOf(number, 'KLD'));
              left -= 1;
              if (left === 0) server.kill().then(resolve, reject);
            },
            () => undefined,
          );
        }
      });
      await dead;
      const { registered, recorded } = await found();
      expect(recorded).toEqual(registered);
      expect(registered).toEqual(expect.arrayContaining(answered));
    }
    const server = await startServer();
    // The next start chains the entries that the killed servers left.
    const { body } = await eventually(
      () => server.call('GET', '/v1.0/audit/verification'),
      ({ body: { intact } }) => intact,
    );
    expect(body.faults).toEqual([]);
    await server.kill();
  },
);
