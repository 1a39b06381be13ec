/** Splits bytes into lines so that no other bytes give the same lines: only LF ends a line, and all text is UTF-8. */
import { BadDossier } from './bad-dossier.js';

/** A manifest of a thousand ECUs in base64, with ample room around it. */
const LONGEST_LINE = 64 * 1024 * 1024;
const LF = 0x0a;

/** @returns each line without its end @throws BadDossier */
export async function* exactLines(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<string> {
  let number = 1;
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const textOf = (bytes: Uint8Array) => {
    try {
      return decoder.decode(bytes);
    } catch {
      throw new BadDossier(`line ${number} is not UTF-8`);
    }
  };
  let parts: Uint8Array[] = [];
  let length = 0;
  const add = (part: Uint8Array) => {
    parts.push(part);
    length += part.length;
    if (length > LONGEST_LINE) throw new BadDossier(`line ${number} is too long`);
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      add(chunk.subarray(start, end));
      yield textOf(Buffer.concat(parts));
      number += 1;
      parts = [];
      length = 0;
      start = end + 1;
    }
    if (start < chunk.length) add(chunk.subarray(start));
  }
  if (length > 0) throw new BadDossier(`line ${number} has no end: the file is cut off`);
}
