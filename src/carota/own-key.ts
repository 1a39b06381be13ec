/** A secret key that the servers on one database share: made by the first one. */
import { randomBytes } from 'node:crypto';
import { only, type Queryable } from '../service/database/index.js';

const BYTES = 32;

export async function ownKey(database: Queryable, name: string): Promise<Uint8Array> {
  await database.query(
    `insert into own_keys (name, value) values ($1, decode($2, 'hex')) on conflict do nothing`,
    [name, randomBytes(BYTES).toString('hex')],
  );
  const rows = await database.query<{ hex: string }>(
    `select encode(value, 'hex') as hex from own_keys where name = $1`,
    [name],
  );
  return Buffer.from(only(rows).hex, 'hex');
}
