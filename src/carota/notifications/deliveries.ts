/** Deliveries of notifications, for people. */
import { newUuid } from '../../contract/index.js';
import { type Notification } from '../../contract/carota-api/index.js';
import { only, type Queryable } from '../../service/database/index.js';

export interface DeliveryRow extends Pick<
  Notification,
  'event' | 'summary' | 'rule' | 'channel' | 'tries' | 'failure'
> {
  readonly id: number;
  readonly at: Date;
  readonly ref_id: string | null;
  readonly due_at: Date | null;
  readonly delivered_at: Date | null;
}

/** The same in every attempt of a delivery. */
export const messageIdOf = (deliveryId: number): string => `ntf_${deliveryId}`;

const ROWS = `select d.id, n.event, n.at, n.ref_id, n.summary, r.name as rule, r.channel, d.tries, d.due_at,
    d.delivered_at, d.failure
  from notification_deliveries d
  join notifications n on n.id = d.notification_id
  join notification_rules r on r.id = d.rule_id`;

/** Newest first. @param before id of the previous page's last delivery */
export const listDeliveries = (
  database: Queryable,
  before: number | undefined,
  limit: number,
): Promise<DeliveryRow[]> =>
  database.query<DeliveryRow>(
    `${ROWS} where $1::bigint is null or d.id < $1 order by d.id desc limit $2`,
    [before ?? null, limit],
  );

/** @param now ms @returns the due delivery */
export async function addTest(
  tx: Queryable,
  rule: { readonly id: number; readonly name: string },
  now: number,
): Promise<DeliveryRow> {
  const { id } = only(
    await tx.query<{ id: number }>(
      `with happened as (
         insert into notifications (key, event, at, summary) values ($1, 'test', $2, $3) returning id
       )
       insert into notification_deliveries (notification_id, rule_id, due_at)
       select id, $4, $2 from happened returning id`,
      [`test ${newUuid(now)}`, new Date(now), `Test of the rule “${rule.name}”`, rule.id],
    ),
  );
  return only(await tx.query<DeliveryRow>(`${ROWS} where d.id = $1`, [id]));
}
