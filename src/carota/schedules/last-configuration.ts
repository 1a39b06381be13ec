/** The last known configuration of exposed vehicles, copied so that later updates do not change the record. */
import { type Queryable, textArray } from '../../service/database/index.js';

/**
 * Copies what is currently known of the vehicles' software. An earlier copy is not replaced.
 *
 * @param tx the transaction that exposes the vehicles
 * @param now ms
 */
export async function keepConfigurations(
  tx: Queryable,
  scheduleId: number,
  vins: readonly string[],
  now: number,
): Promise<void> {
  if (vins.length === 0) return;
  await tx.query(
    `insert into exposed_configurations (schedule_id, vin, at, versions, manifest_at, manifest)
     select $1, given.vin, $3, coalesce(
         (select json_object_agg(ecu, version order by ecu) from installed_versions i where i.vin = given.vin),
         '{}'::json),
       m.received_at, m.manifest
     from unnest($2::text[]) as given (vin) left join manifests m on m.vin = given.vin
     on conflict do nothing`,
    [scheduleId, textArray(vins), new Date(now)],
  );
}
