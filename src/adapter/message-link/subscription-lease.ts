/**
 * Which adapter holds the group's subscription: one at a time, under a lease in the database. Times are the database's
 * own.
 */
import { only, type Queryable } from '../../service/database/index.js';

export interface Applicant {
  /** Id of this process. */
  readonly holder: string;
  /** Name of the adapter. */
  readonly instance: string;
}

/** Characters of the group id in client ids, which must be short enough for any broker. */
const ID_LENGTH = 12;

/** The group id as used in client ids and share names: 12 hexadecimal digits. */
const GROUP_ID = `left(replace(id::text, '-', ''), ${ID_LENGTH})`;

export async function readGroupId(database: Queryable): Promise<string> {
  const rows = await database.query<{ id: string }>(`select ${GROUP_ID} as id from adapter_group`);
  return only(rows).id;
}

/** As it is held by one adapter. */
export interface Lease {
  readonly groupId: string;
  /** Unchanged as long as no other adapter has held it. */
  readonly takeovers: number;
  /** Whether the group has subscribed under this id before: the broker then has its session. */
  readonly hasSession: boolean;
}

/**
 * Takes the lease if it is free, or renews it.
 *
 * @param displaces also take it from an earlier process with the same name, which must be dead
 * @returns undefined where another adapter holds the lease
 */
export async function takeLease(
  database: Queryable,
  { holder, instance }: Applicant,
  seconds: number,
  displaces: boolean,
): Promise<Lease | undefined> {
  const [lease] = await database.query<Lease>(
    `update subscription_lease l set
       holder = $1, instance = $2, lease_until = now() + make_interval(secs => $3),
       takeovers = takeovers + (l.holder is distinct from $1)::int
     where holder = $1 or lease_until < now() or ($4 and instance = $2)
     returning (select ${GROUP_ID} from adapter_group) as "groupId", takeovers,
       session_of is not distinct from (select id from adapter_group) as "hasSession"`,
    [holder, instance, seconds, displaces],
  );
  return lease;
}

/** The group has subscribed under its present id. */
export async function noteSession(database: Queryable, { holder }: Applicant): Promise<void> {
  await database.query(
    'update subscription_lease set session_of = (select id from adapter_group) where holder = $1',
    [holder],
  );
}

/** The broker did not have the session any more. */
export async function countLostSession(database: Queryable): Promise<void> {
  await database.query('update subscription_lease set sessions_lost = sessions_lost + 1');
}

/** Any other adapter may take it immediately; until one does, it is this one's when it asks again. */
export async function offerLease(database: Queryable, { holder }: Applicant): Promise<void> {
  await database.query(
    `update subscription_lease set lease_until = '-infinity' where holder = $1`,
    [holder],
  );
}

/** Any adapter may take it immediately. */
export async function releaseLease(database: Queryable, { holder }: Applicant): Promise<void> {
  await database.query(
    `update subscription_lease set holder = null, instance = null, lease_until = '-infinity'
     where holder = $1`,
    [holder],
  );
}

/** Gives the group a new id, because another system uses the present one. @param groupId the present one */
export async function renewGroupId(database: Queryable, groupId: string): Promise<void> {
  await database.query(
    `with renewed as (
       update adapter_group set id = gen_random_uuid() where ${GROUP_ID} = $1 returning 1
     )
     update subscription_lease set conflicts = conflicts + 1 where exists (select from renewed)`,
    [groupId],
  );
}

export interface SubscriptionStatistics {
  /** How often another adapter has taken over the subscription. */
  readonly takeovers: number;
  /** How often another system was found to use the group's id. */
  readonly conflicts: number;
  /** How often the broker had lost the group's session. */
  readonly sessionsLost: number;
}

export const subscriptionStatistics = async (
  database: Queryable,
): Promise<SubscriptionStatistics> =>
  only(
    await database.query<SubscriptionStatistics>(
      'select takeovers, conflicts, sessions_lost as "sessionsLost" from subscription_lease',
    ),
  );
