/** Works through a filtered list page by page, up to a limit: for replays. */

/** Rows per page. */
const PAGE = 200;

export interface ReplayPage<Row> {
  readonly rows: readonly Row[];
  /** Whether there may be more. */
  readonly isFull: boolean;
}

/**
 * @param limit maximum number of rows
 * @param read reads the page after the given row; undefined: the first page
 * @param replay receives the rows of one page, in order
 * @returns whether there are more rows than the limit
 */
export async function replayPages<Row>(
  limit: number,
  read: (after: Row | undefined, limit: number) => Promise<ReplayPage<Row>>,
  replay: (rows: readonly Row[]) => Promise<void>,
): Promise<boolean> {
  let after: Row | undefined;
  for (let left = limit; ;) {
    // One extra row shows whether there are more.
    const { rows, isFull } = await read(after, Math.min(PAGE, left + 1));
    await replay(rows.slice(0, left));
    if (rows.length > left) return true;
    left -= rows.length;
    after = rows.at(-1);
    if (!isFull || after === undefined) return false;
  }
}
