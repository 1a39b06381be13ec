/** Writes notifications to the outbox, in the transaction of the event: once per event and rule. */
import { type NotifiedEvent } from '../../contract/carota-api/index.js';
import { type Queryable } from '../../service/database/index.js';

export interface NewNotification {
  readonly event: NotifiedEvent;
  /** Identifies the event, for any number of detections by any server. */
  readonly key: string;
  readonly refId: string | null;
  readonly summary: string;
  /** Only for this rule; undefined: for all rules with this event. */
  readonly ruleId?: number | undefined;
}

/** @param now ms */
export async function notify(
  tx: Queryable,
  { event, key, refId, summary, ruleId }: NewNotification,
  now: number,
): Promise<void> {
  await tx.query(
    `with rules as (
       select id from notification_rules
       where enabled and $1 = any (events) and ($6::bigint is null or id = $6)
     ), happened as (
       insert into notifications (key, event, at, ref_id, summary)
       select $2, $1, $3, $4, $5 where exists (select from rules)
       on conflict (key) do nothing returning id
     )
     insert into notification_deliveries (notification_id, rule_id, due_at)
     select happened.id, rules.id, $3 from happened cross join rules`,
    [event, key, new Date(now), refId, summary, ruleId ?? null],
  );
}

export interface RateRule {
  readonly id: number;
  readonly percent: number;
  readonly least: number;
}

/** Rules for failure rates. */
export const readRateRules = (tx: Queryable): Promise<RateRule[]> =>
  tx.query<RateRule>(
    `select id, failure_percent as percent, least from notification_rules
     where enabled and 'failure-rate' = any (events) and failure_percent is not null`,
  );
