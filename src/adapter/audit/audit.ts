/** The adapter's audit log: its entries of operations are linked to these. */
import { type Actor, recordActions } from '../../service/audit/index.js';
import { only, type Queryable } from '../../service/database/index.js';

/**
 * @param now ms
 * @param about.detail what the action did
 * @returns id of the entry
 */
export async function recordAction(
  tx: Queryable,
  by: Actor,
  now: number,
  action: string,
  about: { operationId?: number; vin?: string; detail?: object },
): Promise<number> {
  const { operationId, vin = null, detail = {} } = about;
  const refId = operationId === undefined ? undefined : await refIdOf(tx, operationId);
  const columns = { operation_id: operationId ?? null };
  return only(await recordActions(tx, action, [{ by, vin, detail, refId }], now, columns));
}

/** Written into the entry, because an operation may be deleted some day. */
async function refIdOf(tx: Queryable, operationId: number): Promise<string | undefined> {
  const [row] = await tx.query<{ ref_id: string }>('select ref_id from operations where id = $1', [
    operationId,
  ]);
  return row?.ref_id;
}
