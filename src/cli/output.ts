/** Where commands write for a person or a program. */

export const print = (line = ''): void => void process.stdout.write(`${line}\n`);
export const printError = (line: string): void => void process.stderr.write(`${line}\n`);
export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));

/**
 * Ends the process once its output has been taken. A pipe takes 64 KiB at a time, so whatever a slower
 * reader has not yet read is still in memory; `process.exit` alone would drop it.
 */
export async function exitWhenWritten(code: number): Promise<never> {
  await Promise.all([process.stdout, process.stderr].map(written));
  process.exit(code);
}

/** Writes are in order, so the last one is done when all are; an error is the handler's below. */
const written = (stream: NodeJS.WriteStream) =>
  new Promise<void>((resolve) => stream.write('', () => resolve()));

/** Ends the process, as other commands end, when its reader has gone: `otaops … | head`. */
export function onBrokenPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      process.exit(error.code === 'EPIPE' ? EXIT_ON_SIGPIPE : 1);
    });
  }
}

/** 128 and the number of SIGPIPE. */
const EXIT_ON_SIGPIPE = 141;

type Cell = string | number | boolean | null | undefined;

/** Columns as wide as they must be; numbers to the right. */
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
