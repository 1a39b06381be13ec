/** Streams the lines of CSV and NDJSON, each with its number, or its fault if it is invalid. */
import { type Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { mayBeUnstorable, unstorable } from './storable-text.js';

export type LineFormat = 'csv' | 'ndjson';

/** From 1; the header of a CSV is line 1. */
export type Line =
  | { readonly line: number; readonly value: unknown }
  | { readonly line: number; readonly error: string };

/** Longest line, characters. */
const MAX_LINE = 16 * 1024;

/** Destroys the input when the reader stops early, and passes on the input's error. */
export function linesOf(input: Readable, format: LineFormat): AsyncGenerator<Line> {
  return format === 'csv' ? csvLines(input) : ndjsonLines(input);
}

async function* csvLines(input: Readable): AsyncGenerator<Line> {
  const faulty: Line[] = [];
  let lastFaulty = -1;
  const parser = parse({
    bom: true,
    columns: (header: string[]) => header.map((name) => name.trim()),
    info: true,
    max_record_size: MAX_LINE,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip: (error) => {
      const line = Number(error?.lines ?? 0);
      // The parser finds as many faults in a line as it has quotes.
      if (error && line !== lastFaulty) faulty.push({ line, error: error.message });
      lastFaulty = line;
      return undefined;
    },
    trim: true,
  });
  let failure: Error | undefined;
  parser.on('error', (error: Error) => (failure = error));
  // Faults are taken chunk by chunk too: where every line is faulty, no record comes with which they could be taken.
  const linesSoFar = function* (): Generator<Line> {
    const next = () => parser.read() as CsvEntry | null;
    for (let entry = next(); entry !== null; entry = next()) {
      const { record, info } = entry;
      yield storable(info.lines, record);
    }
    yield* faulty.splice(0);
    if (failure) throw failure;
  };
  for await (const chunk of input) {
    // With all its records read, the parser takes a chunk at once.
    parser.write(chunk);
    yield* linesSoFar();
  }
  parser.end();
  yield* linesSoFar();
}

interface CsvEntry {
  readonly record: Record<string, string>;
  readonly info: { readonly lines: number };
}

async function* ndjsonLines(input: Readable): AsyncGenerator<Line> {
  const decoder = new TextDecoder();
  let line = 0;
  let rest = '';
  let isTooLong = false;
  for await (const chunk of input) {
    const parts = (rest + decoder.decode(chunk as Buffer, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    for (const text of parts) {
      yield* lineIn(++line, text, isTooLong);
      isTooLong = false;
    }
    // Of an oversized line, only the fact that it is too long is kept.
    isTooLong ||= rest.length > MAX_LINE;
    if (isTooLong) rest = '';
  }
  yield* lineIn(++line, rest + decoder.decode(), isTooLong);
}

function* lineIn(line: number, text: string, isTooLong: boolean): Generator<Line> {
  if (isTooLong || text.length > MAX_LINE) {
    yield { line, error: `line is longer than ${MAX_LINE} characters` };
  } else if (text.trim() !== '') yield parsedLine(line, text);
}

function parsedLine(line: number, text: string): Line {
  try {
    const value = JSON.parse(text) as unknown;
    return mayBeUnstorable(text) ? storable(line, value) : { line, value };
  } catch (error) {
    return { line, error: `is not JSON: ${(error as Error).message}` };
  }
}

function storable(line: number, value: unknown): Line {
  const fault = unstorable(value);
  return fault
    ? { line, error: `${fault.path.slice(1)} ${fault.message}`.trim() }
    : { line, value };
}
