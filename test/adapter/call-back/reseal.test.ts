/** Secrets of call-backs are sealed with a new key even if some of them cannot be decrypted. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addReceiver, resealReceivers } from '../../../src/adapter/call-back/index.js';
import { type Database, only } from '../../../src/service/database/index.js';
import { newSecretKey, SecretBox } from '../../../src/service/secrets/index.js';
import { openTestDatabase } from '../../support/databases.js';

const NOW = Date.UTC(2026, 5, 3, 12);
const [lost, old, fresh] = [newSecretKey(), newSecretKey(), newSecretKey()].map((key) =>
  Buffer.from(key, 'base64'),
) as [Buffer, Buffer, Buffer];

let database: Database;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ database, close } = await openTestDatabase());
});
afterAll(() => close());

test('a current secret is sealed with the new key even if the previous one cannot be decrypted', async () => {
  const receiver = { name: 'carota', url: 'http://receiver.example/' };
  const added = await addReceiver(database, receiver, NOW, new SecretBox([old]));
  const { id = '', secret } = added ?? {};
  await database.query('update callbacks set old_secret = $2, old_until = $3 where id = $1', [
    id,
    new SecretBox([lost]).seal('before', id),
    new Date(NOW + 60_000),
  ]);
  const changed = await resealReceivers(database, new SecretBox([fresh, old]), NOW);
  expect(changed.closed).toEqual(['carota']);
  const stored = await database.query<{ secret: string }>('select secret from callbacks');
  expect(new SecretBox([fresh]).open(only(stored).secret, id)).toBe(secret);
});
