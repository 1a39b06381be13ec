/** Where vehicles stand: in one operation, or in all. */
import { type Queryable } from '../../service/database/index.js';

export interface DeliveryRow {
  readonly vin: string;
  readonly state: string;
  readonly paused: boolean;
  readonly delivery: string;
  readonly attempt: number;
  readonly sends: number;
  /** Why, in the vehicle's words, where its newest event says so. */
  readonly reason: string | null;
  readonly trigger_id: string;
  readonly triggered_at: Date;
  readonly last_sent_at: Date | null;
  readonly acknowledged_at: Date | null;
  readonly event_at: Date | null;
  readonly updated_at: Date;
}

const DELIVERIES = /* sql */ `
  select vin, state, paused, delivery, attempt, sends, reason, trigger_id, triggered_at, last_sent_at,
    acknowledged_at, (greatest(reported, interruption)).at as event_at, updated_at
  from deliveries`;

/** Which vehicles of an operation are meant; what is undefined does not matter. */
export interface DeliveryFilter {
  /** `unknown` means every unknown(<number>). */
  readonly state?: string | undefined;
  readonly reason?: string | undefined;
  /** Beginning of the VIN. */
  readonly vinPrefix?: string | undefined;
}

/** A page of an operation's vehicles in VIN order. */
export function listDeliveries(
  database: Queryable,
  operationId: number,
  { state, reason, vinPrefix = '' }: DeliveryFilter,
  page: { after: string; limit: number },
): Promise<DeliveryRow[]> {
  return database.query<DeliveryRow>(
    `${DELIVERIES} where operation_id = $1 and vin > $2 and vin >= $3 and vin < $4
       and ($5::text is null or state = $5 or counter_of(state) = $5)
       and ($6::text is null or reason = $6)
     order by vin limit $7`,
    [
      operationId,
      page.after,
      vinPrefix,
      endOfPrefix(vinPrefix),
      state ?? null,
      reason ?? null,
      page.limit,
    ],
  );
}

/** A text that comes after all VINs with the prefix: no VIN has a `~`. */
const endOfPrefix = (prefix: string) => `${prefix}~`;

export type FoundDelivery = DeliveryRow & { readonly ref_id: string };

/** Where a page of {@link searchDeliveries} ended. */
export interface FoundPosition {
  readonly vin: string;
  readonly operationId: number;
}

/** Vehicles across all operations, by the beginning of their VIN; newest operation first for each. */
export function searchDeliveries(
  database: Queryable,
  vinPrefix: string,
  { after, limit }: { after: FoundPosition | undefined; limit: number },
): Promise<(FoundDelivery & { operation_id: number })[]> {
  return database.query(
    `select d.*, o.ref_id from (
       ${DELIVERIES.replace('select vin', 'select operation_id, vin')}
       where vin >= $1 and vin < $2
         and ($3::text is null or vin > $3 or vin = $3 and operation_id < $4)
       order by vin, operation_id desc limit $5
     ) d join operations o on o.id = d.operation_id
     order by d.vin, d.operation_id desc`,
    [vinPrefix, endOfPrefix(vinPrefix), after?.vin ?? null, after?.operationId ?? null, limit],
  );
}

export async function findDelivery(
  database: Queryable,
  operationId: number,
  vin: string,
): Promise<DeliveryRow | undefined> {
  const rows = await database.query<DeliveryRow>(
    `${DELIVERIES} where operation_id = $1 and vin = $2`,
    [operationId, vin],
  );
  return rows[0];
}
