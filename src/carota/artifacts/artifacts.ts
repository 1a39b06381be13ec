/** The artifacts that are stored, in the database. */
import { type Queryable } from '../../service/database/index.js';

export interface ArtifactRow {
  readonly sha256: string;
  readonly md5: string;
  /** Bytes. */
  readonly size: number;
  readonly name: string;
  readonly created_at: Date;
}

const COLUMNS = 'sha256, md5, size, name, created_at';

export async function findArtifact(
  database: Queryable,
  sha256: string,
): Promise<ArtifactRow | undefined> {
  const rows = await database.query<ArtifactRow>(
    `select ${COLUMNS} from artifacts where sha256 = $1`,
    [sha256],
  );
  return rows[0];
}

export const listArtifacts = (
  database: Queryable,
  after: string,
  limit: number,
): Promise<ArtifactRow[]> =>
  database.query<ArtifactRow>(
    `select ${COLUMNS} from artifacts where sha256 > $1 order by sha256 limit $2`,
    [after, limit],
  );
