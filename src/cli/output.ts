/** Output of commands for people and programs. */

export const print = (line = ''): void => void process.stdout.write(`${line}\n`);
export const printError = (line: string): void => void process.stderr.write(`${line}\n`);
export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));

/**
 * Exits once all output has been written. A pipe buffers only 64 KiB, so output that a slow reader has not yet read is
 * still in memory; `process.exit` alone would drop it.
 */
export async function exitWhenWritten(code: number): Promise<never> {
  await Promise.all([process.stdout, process.stderr].map(written));
  process.exit(code);
}

/** Writes complete in order, so the last one is enough; the handler below deals with errors. */
const written = (stream: NodeJS.WriteStream) =>
  new Promise<void>((resolve) => stream.write('', () => resolve()));

/** Exits like other programs when the reader closes the pipe: `otaops … | head`. */
export function onBrokenPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      process.exit(error.code === 'EPIPE' ? EXIT_ON_SIGPIPE : 1);
    });
  }
}

/** 128 plus the number of SIGPIPE. */
const EXIT_ON_SIGPIPE = 141;

type Cell = string | number | boolean | null | undefined;

/** Columns as wide as necessary; numbers right-aligned. */
export function printTable(header: readonly string[], rows: readonly (readonly Cell[])[]): void {
  const texts = rows.map((row) => row.map((cell) => String(cell ?? '-')));
  const widths = header.map((title, column) =>
    Math.max(title.length, ...texts.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[], toRight: (column: number) => boolean) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return toRight(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  const isNumber = (column: number) => typeof rows[0]?.[column] === 'number';
  print(line(header, isNumber));
  for (const row of texts) print(line(row, isNumber));
}
