/** Pages of rows of very different lengths, limited by bytes too. Pure. */

/** Bytes per page. */
const MAX_PAGE_BYTES = 8 * 1024 * 1024;

/**
 * A statement that returns the rows of a page, at least one, up to the byte limit.
 *
 * @param page query of the page, limited by the number of rows
 * @param columns of the result
 * @param order of the rows
 * @param bytes expression of a row's length
 */
export const pageByBytes = (
  page: string,
  { columns, order, bytes }: { columns: string; order: string; bytes: string },
): string => /* sql */ `
select * from (
  select ${columns}, sum(${bytes}) over (order by ${order}) as bytes_so_far from (${page}) page
) page
where bytes_so_far - ${bytes} < ${MAX_PAGE_BYTES}
order by ${order}`;

/** As {@link pageByBytes} adds it to each row. */
export interface BytesSoFar {
  readonly bytes_so_far: number | string;
}

/** Whether there may be more rows: the page is full, by number or by bytes. */
export function isFullPage(rows: readonly BytesSoFar[], limit: number): boolean {
  const bytes = Number(rows.at(-1)?.bytes_so_far ?? 0);
  return rows.length === limit || bytes >= MAX_PAGE_BYTES;
}
