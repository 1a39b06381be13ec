/** Lines of CSV and NDJSON, streamed: each with its number, what is broken with its fault. */
import { createInterface } from 'node:readline';
import { type Readable } from 'node:stream';
import { parse } from 'csv-parse';

export type LineFormat = 'csv' | 'ndjson';

/** From 1; the header of a CSV is line 1. */
export type Line =
  | { readonly line: number; readonly value: unknown }
  | { readonly line: number; readonly error: string };

/** A longer line is no record of ours, characters. */
const MAX_LINE = 16 * 1024;

export function linesOf(input: Readable, format: LineFormat): AsyncGenerator<Line> {
  return format === 'csv' ? csvLines(input) : ndjsonLines(input);
}

async function* csvLines(input: Readable): AsyncGenerator<Line> {
  const faulty: Line[] = [];
  const parser = parse({
    bom: true,
    columns: (header: string[]) => header.map((name) => name.trim()),
    info: true,
    max_record_size: MAX_LINE,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip: (error) => {
      if (error) faulty.push({ line: Number(error.lines ?? 0), error: error.message });
      return undefined;
    },
    trim: true,
  });
  input.on('error', (error) => parser.destroy(error));
  input.pipe(parser);
  for await (const entry of parser) {
    yield* faulty.splice(0);
    const { record, info } = entry as { record: Record<string, string>; info: { lines: number } };
    yield { line: info.lines, value: record };
  }
  yield* faulty;
}

async function* ndjsonLines(input: Readable): AsyncGenerator<Line> {
  let line = 0;
  for await (const text of createInterface({ input, crlfDelay: Infinity })) {
    line += 1;
    if (text.trim() === '') continue;
    if (text.length > MAX_LINE) yield { line, error: `line is longer than ${MAX_LINE} characters` };
    else yield parsedLine(line, text);
  }
}

function parsedLine(line: number, text: string): Line {
  try {
    return { line, value: JSON.parse(text) as unknown };
  } catch (error) {
    return { line, error: `is not JSON: ${(error as Error).message}` };
  }
}
