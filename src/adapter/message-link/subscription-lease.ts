/**
 * Which adapter of the group holds the group's subscription: one at a time, by a lease in the
 * database. Times are the database's own.
 */
import { only, type Queryable } from '../../service/database/index.js';

export interface Applicant {
  /** Of this process. */
  readonly holder: string;
  /** Name of the adapter. */
  readonly instance: string;
}

/** Characters of the group's id in client ids: together they stay short enough for any broker. */
const ID_LENGTH = 12;

/** As client ids and share names carry it: 12 hexadecimal digits. */
const GROUP_ID = `left(replace(id::text, '-', ''), ${ID_LENGTH})`;

export async function readGroupId(database: Queryable): Promise<string> {
  const rows = await database.query<{ id: string }>(`select ${GROUP_ID} as id from adapter_group`);
  return only(rows).id;
}

/**
 * Takes the lease if it is free, or renews it.
 *
 * @param displaces take it from an earlier process of the same name too, which has been lost
 * @returns the group's id; undefined where another adapter holds the lease
 */
export async function takeLease(
  database: Queryable,
  { holder, instance }: Applicant,
  seconds: number,
  displaces: boolean,
): Promise<string | undefined> {
  const [row] = await database.query<{ id: string }>(
    `update subscription_lease l set
       holder = $1, instance = $2, lease_until = now() + make_interval(secs => $3),
       takeovers = takeovers + (l.holder is distinct from $1)::int
     where holder = $1 or lease_until < now() or ($4 and instance = $2)
     returning (select ${GROUP_ID} from adapter_group) as id`,
    [holder, instance, seconds, displaces],
  );
  return row?.id;
}

/** Any adapter may take it at once. */
export async function releaseLease(database: Queryable, { holder }: Applicant): Promise<void> {
  await database.query(
    `update subscription_lease set holder = null, instance = null, lease_until = '-infinity'
     where holder = $1`,
    [holder],
  );
}

/** Another system has this group's id: from now on we have a new one. @param groupId the old one */
export async function renewGroupId(database: Queryable, groupId: string): Promise<void> {
  await database.query(
    `with renewed as (
       update adapter_group set id = gen_random_uuid() where ${GROUP_ID} = $1 returning 1
     )
     update subscription_lease set conflicts = conflicts + 1 where exists (select from renewed)`,
    [groupId],
  );
}

export interface SubscriptionFigures {
  /** How often the subscription has changed hands. */
  readonly takeovers: number;
  /** How often another system was found to have the group's id. */
  readonly conflicts: number;
}

export const subscriptionFigures = async (database: Queryable): Promise<SubscriptionFigures> =>
  only(
    await database.query<SubscriptionFigures>(
      'select takeovers, conflicts from subscription_lease',
    ),
  );
