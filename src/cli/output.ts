/** Where commands write for a person or a program. */

export const print = (line = ''): void => void process.stdout.write(`${line}\n`);
export const printError = (line: string): void => void process.stderr.write(`${line}\n`);
export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));

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
