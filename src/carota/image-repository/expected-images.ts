/** Images listed in suppliers' deliveries but not received yet. Nothing else can be uploaded for a delivery. */
import { numberArray, type Queryable, textArray } from '../../service/database/index.js';
import { type DeliveredImage } from '../../uptane/repository/index.js';

const EXPECTED_DAYS = 7;
const DAY_MS = 24 * 60 * 60 * 1000;

export interface ExpectedImage {
  /** bytes */
  readonly length: number;
  /** Target path. */
  readonly path: string;
}

const sha256Of = ({ target }: DeliveredImage) => target.hashes.get('sha256') ?? '';

/** @returns those whose bytes have not been received */
export async function missingImages(
  database: Queryable,
  images: readonly DeliveredImage[],
): Promise<readonly DeliveredImage[]> {
  const rows = await database.query<{ sha256: string }>(
    'select sha256 from artifacts where sha256 = any($1::text[])',
    [textArray(images.map(sha256Of))],
  );
  const here = new Set(rows.map(({ sha256 }) => sha256));
  return images.filter((image) => !here.has(sha256Of(image)));
}

/** @param now ms */
export async function expectImages(
  database: Queryable,
  images: readonly DeliveredImage[],
  now: number,
): Promise<void> {
  // One of each, always in the same order, so that two deliveries cannot deadlock.
  const bySha256 = new Map(images.map((image) => [sha256Of(image), image]));
  const rows = [...bySha256].sort(([a], [b]) => (a < b ? -1 : 1));
  await database.query(
    `with past as (delete from expected_images where until < $4 and sha256 <> all ($1::text[]))
     insert into expected_images (sha256, length, path, until)
     select sha256, length, path, $5 from unnest($1::text[], $2::bigint[], $3::text[])
       as given (sha256, length, path)
     on conflict (sha256) do update
       set length = excluded.length, path = excluded.path, until = excluded.until`,
    [
      textArray(rows.map(([sha256]) => sha256)),
      numberArray(rows.map(([, { target }]) => target.length)),
      textArray(rows.map(([, { target }]) => target.path)),
      new Date(now),
      new Date(now + EXPECTED_DAYS * DAY_MS),
    ],
  );
}

/** @param now ms */
export async function findExpected(
  database: Queryable,
  sha256: string,
  now: number,
): Promise<ExpectedImage | undefined> {
  const [row] = await database.query<ExpectedImage>(
    'select length, path from expected_images where sha256 = $1 and until >= $2',
    [sha256, new Date(now)],
  );
  return row;
}
