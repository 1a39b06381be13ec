/**
 * The `system_id` of each vehicle, which is the name in its client certificate (contract section 9): the right to change it
 * is the right to decide which certificate belongs to which vehicle.
 */
import { recordActions, type Actor } from '../../service/audit/index.js';
import { type Queryable, textArray } from '../../service/database/index.js';
import { revokeIssued } from '../enrolment/index.js';

/** The caller may not set or change the system_id of these vehicles. */
export class SystemIdForbidden extends Error {
  override readonly name = 'SystemIdForbidden';

  constructor(vins: readonly string[]) {
    super(`only an administrator may set or change the system_id of ${vins.join(', ')}`);
  }
}

export interface GivenSystemId {
  readonly vin: string;
  readonly system_id?: string | undefined;
}

export interface SystemIdMove {
  readonly vin: string;
  /** null: it had none. */
  readonly from: string | null;
  readonly to: string;
}

/** The changes; a vehicle without a `system_id` in `given` keeps its own. */
export async function systemIdMoves(
  database: Queryable,
  given: readonly GivenSystemId[],
): Promise<SystemIdMove[]> {
  const named = given.flatMap(({ vin, system_id: to }) => (to === undefined ? [] : [{ vin, to }]));
  if (named.length === 0) return [];
  const rows = await database.query<{ vin: string; system_id: string | null }>(
    'select vin, system_id from vehicles where vin = any($1::text[])',
    [textArray(named.map(({ vin }) => vin))],
  );
  const current = new Map(rows.map(({ vin, system_id: systemId }) => [vin, systemId]));
  return named
    .map(({ vin, to }) => ({ vin, to, from: current.get(vin) ?? null }))
    .filter(({ from, to }) => from !== to);
}

/**
 * Moves them. The certificates of a `system_id` that leaves its vehicle are revoked, and the vehicle's one-time code is void:
 * neither may count for another vehicle.
 *
 * @param tx has the rows of these vehicles locked
 * @param now ms
 * @throws DatabaseError with code 23505 where another vehicle has the system_id
 */
export async function moveSystemIds(
  tx: Queryable,
  moves: readonly SystemIdMove[],
  by: Actor,
  now: number,
): Promise<void> {
  if (moves.length === 0) return;
  const vins = textArray(moves.map(({ vin }) => vin));
  await tx.query(
    `update vehicles v set system_id = given.system_id
     from unnest($1::text[], $2::text[]) as given (vin, system_id) where v.vin = given.vin`,
    [vins, textArray(moves.map(({ to }) => to))],
  );
  await tx.query('delete from enrolment_codes where vin = any($1::text[])', [vins]);
  const left = moves.flatMap(({ from }) => (from === null ? [] : [from]));
  await revokeIssued(
    tx,
    left,
    { by: by.name, reason: 'the system_id was removed from its vehicle' },
    now,
  );
  const entries = moves.map(({ vin, from, to }) => ({
    vin,
    by,
    subject: to,
    detail: { from, to },
  }));
  await recordActions(tx, 'assign-system-id', entries, now);
}
