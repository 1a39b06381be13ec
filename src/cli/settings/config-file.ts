/** The settings file named by `--config` or `OTAOPS_CONFIG`: YAML, with `name: value` on each line. */
import { readFile } from 'node:fs/promises';
import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { UsageError } from '../usage-error.js';

export interface ConfigEntry {
  readonly name: string;
  readonly value: unknown;
  /** From 1. */
  readonly line: number;
}

export interface ConfigFile {
  readonly path: string;
  readonly entries: readonly ConfigEntry[];
}

/** The file cannot be read or is malformed. */
class BadConfigFile extends UsageError {
  override readonly name = 'BadConfigFile';
}

/** @throws BadConfigFile */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new BadConfigFile(`${path} cannot be read: ${(error as Error).message}`);
  });
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [fault] = document.errors;
  if (fault) throw new BadConfigFile(`${path}: ${fault.message}`);
  if (document.contents === null) return { path, entries: [] };
  if (!isMap(document.contents)) {
    throw new BadConfigFile(`${path} must have a setting on each line, e.g. http-port: 8080`);
  }
  const entries = document.contents.items.map(({ key, value }) => {
    const isName = isScalar(key);
    return {
      name: isName ? String(key.value) : '',
      value: isNode(value) ? (value.toJSON() as unknown) : null,
      line: lines.linePos(isName ? key.range[0] : 0).line,
    };
  });
  return { path, entries };
}

/** The value as a flag would have it; undefined if no flag could. */
export function textOf(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    const texts = value.map(textOf);
    return texts.includes(undefined) ? undefined : texts.join(',');
  }
  if (typeof value === 'boolean') return value ? '1' : '0';
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
