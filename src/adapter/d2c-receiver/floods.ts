/** Records vehicles that exceed their message budget in the database, for people and for all adapters. */
import { numberArray, type Queryable, textArray } from '../../service/database/index.js';

/** Between two writes, ms. */
const WRITE_MS = 5_000;
/** After this long within its budget, a vehicle that exceeds it again starts a new flood, ms. */
const LULL = '1 hour';

export interface FloodsOptions {
  readonly database: Queryable;
  /** ms */
  readonly clock: () => number;
  readonly onFailure: (error: Error) => void;
}

export class Floods {
  readonly #options: FloodsOptions;
  #messages = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: FloodsOptions) {
    this.#options = options;
  }

  /** A message of the vehicle was beyond its budget. */
  note(systemId: string): void {
    this.#messages.set(systemId, (this.#messages.get(systemId) ?? 0) + 1);
    this.#timer ??= setTimeout(() => this.#write(), WRITE_MS).unref();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#write();
    await this.#writing;
  }

  #write(): void {
    this.#timer = undefined;
    const messages = this.#messages;
    this.#messages = new Map();
    if (messages.size === 0) return;
    const { database, clock, onFailure } = this.#options;
    // If this fails, the next message of the vehicle records the flood.
    this.#writing = noteFloods(database, messages, clock()).catch(onFailure);
  }
}

async function noteFloods(
  database: Queryable,
  messages: ReadonlyMap<string, number>,
  now: number,
): Promise<void> {
  await database.query(
    `insert into message_floods as f (vin, messages, first_at, last_at)
     select v.vin, n.messages, $3, $3
     from unnest($1::text[], $2::bigint[]) as n (system_id, messages)
     join vehicles v on v.system_id = n.system_id
     order by v.vin
     on conflict (vin) do update set
       messages = excluded.messages
         + case when f.last_at < $3::timestamptz - interval '${LULL}' then 0 else f.messages end,
       first_at = case when f.last_at < $3::timestamptz - interval '${LULL}' then $3 else f.first_at end,
       last_at = excluded.last_at`,
    [textArray([...messages.keys()]), numberArray([...messages.values()]), new Date(now)],
  );
}

/** Vehicles that have exceeded their budget lately. @param since ms */
export async function countFlooding(database: Queryable, since: number): Promise<number> {
  const [row] = await database.query<{ vehicles: number }>(
    'select count(*) as vehicles from message_floods where last_at >= $1',
    [new Date(since)],
  );
  return row?.vehicles ?? 0;
}
