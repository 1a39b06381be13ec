/** Vehicles and their states, in one operation or in all. */
import { type DeliveryState, type Scopes, type VehicleStateName } from '../../contract/index.js';
import { modelInScope, scopesParameter, vehicleInScope } from '../../service/access/index.js';
import { only, type Queryable } from '../../service/database/index.js';

export interface DeliveryRow {
  readonly vin: string;
  readonly state: VehicleStateName;
  readonly paused: boolean;
  readonly delivery: DeliveryState;
  readonly attempt: number;
  readonly sends: number;
  /** The reason that the newest event gives, in the vehicle's words. */
  readonly reason: string | null;
  readonly trigger_id: string;
  readonly triggered_at: Date;
  readonly last_sent_at: Date | null;
  readonly acknowledged_at: Date | null;
  readonly event_at: Date | null;
  readonly updated_at: Date;
}

const COLUMNS = /* sql */ `vin, state, paused, delivery, attempt, sends, reason, trigger_id, triggered_at, last_sent_at,
    acknowledged_at, time_of_event(greatest(reported, interruption)) as event_at, updated_at`;
const DELIVERIES = /* sql */ `select ${COLUMNS} from deliveries`;

/** Selects vehicles of an operation; an undefined field matches all. */
export interface DeliveryFilter {
  /** `unknown` means every unknown(<number>). */
  readonly state?: string | undefined;
  readonly reason?: string | undefined;
  readonly vinPrefix?: string | undefined;
  /** Contained in the VIN or the reason, ignoring case. */
  readonly text?: string | undefined;
  /** Registered with one of these models. */
  readonly scopes?: Scopes;
}

const MATCHES = `operation_id = $1 and vin >= $2 and vin < $3
       and ($4::text is null or state = $4 or counter_of(state) = $4)
       and ($5::text is null or reason = $5)
       and ($6::text is null or vin like upper($6) or reason ilike $6)
       and ${vehicleInScope('deliveries.vin', '$7')}`;

const filterParameters = (
  operationId: number,
  { state, reason, vinPrefix = '', text, scopes = null }: DeliveryFilter,
) => [
  operationId,
  vinPrefix,
  endOfPrefix(vinPrefix),
  state ?? null,
  reason ?? null,
  text === undefined ? null : `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`,
  scopesParameter(scopes),
];

/** The number of matching vehicles; may read all vehicles of the operation. */
export async function countDeliveries(
  database: Queryable,
  operationId: number,
  filter: DeliveryFilter,
): Promise<number> {
  const { vehicles } = only(
    await database.query<{ vehicles: number }>(
      `select count(*) as vehicles from deliveries where ${MATCHES}`,
      filterParameters(operationId, filter),
    ),
  );
  return vehicles;
}

/** A page of an operation's vehicles in VIN order. @param page starts `offset` vehicles after the VIN `after` */
export function listDeliveries(
  database: Queryable,
  operationId: number,
  filter: DeliveryFilter,
  page: { after: string; limit: number; offset?: number },
): Promise<DeliveryRow[]> {
  const parameters = [...filterParameters(operationId, filter), page.after, page.limit];
  const matching = `where ${MATCHES} and vin > $8`;
  const { offset = 0 } = page;
  if (offset === 0) {
    return database.query(`${DELIVERIES} ${matching} order by vin limit $9`, parameters);
  }
  // Without a filter, skipped vehicles are read from the index alone.
  const first = `select vin from deliveries ${matching} order by vin offset $10 limit 1`;
  return database.query(
    `${DELIVERIES} ${matching} and vin >= coalesce((${first}), '~') order by vin limit $9`,
    [...parameters, offset],
  );
}

/** Sorts after all VINs with the prefix: no VIN contains `~`. */
const endOfPrefix = (prefix: string) => `${prefix}~`;

export type FoundDelivery = DeliveryRow & { readonly ref_id: string };

/** The last row of a page of {@link searchDeliveries}. */
export interface FoundPosition {
  readonly vin: string;
  readonly operationId: number;
}

/** Vehicles of all operations of these models by VIN prefix; for each vehicle, the newest operation first. */
export function searchDeliveries(
  database: Queryable,
  vinPrefix: string,
  {
    after,
    limit,
    scopes = null,
  }: { after: FoundPosition | undefined; limit: number; scopes?: Scopes },
): Promise<(FoundDelivery & { operation_id: number })[]> {
  return database.query(
    `select d.*, o.ref_id from (
       select operation_id, ${COLUMNS} from deliveries d
       where vin >= $1 and vin < $2
         and ($3::text is null or vin > $3 or vin = $3 and operation_id < $4)
         and ($6::text[] is null or exists (
           select from operations o
           where o.id = d.operation_id and ${modelInScope('o.model', '$6')}
         ))
         and ${vehicleInScope('d.vin', '$6')}
       order by vin, operation_id desc limit $5
     ) d join operations o on o.id = d.operation_id
     order by d.vin, d.operation_id desc`,
    [
      vinPrefix,
      endOfPrefix(vinPrefix),
      after?.vin ?? null,
      after?.operationId ?? null,
      limit,
      scopesParameter(scopes),
    ],
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
