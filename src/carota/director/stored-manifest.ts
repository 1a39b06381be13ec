/** The latest accepted manifest of a vehicle, as received, for people. */
import { type Queryable } from '../../service/database/index.js';

export interface ManifestRow {
  readonly received_at: Date;
  readonly manifest: Buffer;
}

export async function findManifest(
  database: Queryable,
  vin: string,
): Promise<ManifestRow | undefined> {
  const [row] = await database.query<ManifestRow>(
    `select received_at, manifest from manifests
     where vin = $1 and received_at is not null and manifest is not null`,
    [vin],
  );
  return row;
}
