/** Conditions that no event reports: expiring keys, and dead letters at the adapter. */
import pino from 'pino';
import { expect, test } from 'vitest';
import { CAROTA_SCHEMA } from '../../../src/carota/schema.js';
import { Watch } from '../../../src/carota/notifications/index.js';
import { openPostgres } from '../../../src/service/database/index.js';
import { eventually } from '../../support/adapter.js';
import { newDatabase } from '../../support/databases.js';

const DAY = 24 * 3600 * 1000;
const NOW = Date.UTC(2026, 10, 27);

test('notifies once for each threshold, and at most once an hour for new dead letters', async () => {
  const { url, drop } = await newDatabase(CAROTA_SCHEMA);
  const database = openPostgres({ url });
  await database.query(
    `insert into notification_rules (name, events, channel, shown, sealed, created_at)
     values ('r', '{expiring-keys,dead-letters}', 'slack', '', 'sealed:v1:', now())`,
    [],
  );
  let now = NOW;
  let newest: { id: string; at: number } | undefined;
  let isDown = false;
  const expires = NOW + 31 * DAY;
  const log = pino({ level: 'silent' });
  /** One round of a new watch, as after a restart. */
  const look = async () => {
    let rounds = 0;
    const watch = new Watch({
      database,
      clock: () => now,
      roles: () => Promise.resolve([{ what: 'root of the Director', expires }]),
      newestDeadLetter: () => {
        rounds += 1;
        return isDown ? Promise.reject(new Error('down')) : Promise.resolve(newest);
      },
      onFailure: (error) => log.warn(error),
    });
    watch.start();
    await eventually(
      () => Promise.resolve(rounds),
      (done) => done > 0,
    );
    await watch.stop();
  };
  const told = async () =>
    (
      await database.query<{ key: string }>(
        `select n.key from notifications n join notification_deliveries d on d.notification_id = n.id order by n.id`,
        [],
      )
    ).map(({ key }) => key.replace(/ root.*Z/, ''));

  await look();
  expect(await told()).toEqual([]);
  for (const day of [1, 2, 24, 25, 30, 31, 32]) {
    now = NOW + day * DAY;
    isDown = day === 24;
    await look();
  }
  const keys = ['expiring-keys 30', 'expiring-keys 7', 'expiring-keys 1', 'expiring-keys past'];
  expect(await told()).toEqual(keys);

  newest = { id: 'a', at: now };
  await look();
  newest = { id: 'b', at: now + 1_000 };
  now += 60_000;
  await look();
  expect(await told()).toEqual([...keys, 'dead-letters a']);
  now += 3_600_000;
  await look();
  now += 2 * 3_600_000;
  await look();
  expect(await told()).toEqual([...keys, 'dead-letters a', 'dead-letters b']);
  await database.close();
  await drop();
});
