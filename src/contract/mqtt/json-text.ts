/**
 * Parses a message's JSON text to a value that every consumer can store: the databases, and any receiver of the call-back.
 * Text that PostgreSQL cannot store is handled here and in two schemas (contract section 2):
 *
 * - NUL (U+0000) is refused everywhere: in keys and values at any depth, in unknown fields, and in members that a later one
 * of the same name replaces.
 * - A lone surrogate, which UTF-8 cannot encode: identifiers refuse it (`text.ts`), `meta` replaces it with U+FFFD
 * (`meta.ts`).
 *
 * Numbers are IEEE 754 doubles; each field's schema decides which ones it accepts. Nothing here recurses, so a message may
 * be nested as deeply as its size allows.
 */

export type ParsedJson =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly kind: 'syntax' | 'nul';
      /** JSON Pointer (RFC 6901). */
      readonly path: string;
      readonly message: string;
    };

/** A raw control character is no JSON, so NUL can only stand there as an escape, after an even number of backslashes. */
const NUL_ESCAPE = /(?<!\\)(?:\\\\)*\\u0000/;

export function parseJson(text: string): ParsedJson {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const message = `must be JSON: ${(error as Error).message}`;
    return { ok: false, kind: 'syntax', path: '', message };
  }
  // A plain search is much quicker than the expression, and nearly always says no.
  if (!text.includes('\\u0000') || !NUL_ESCAPE.test(text)) return { ok: true, value };
  const message = 'must not contain the character NUL (U+0000)';
  return { ok: false, kind: 'nul', path: pathOfNul(value), message };
}

/** JSON Pointer (RFC 6901) to the first text with NUL; empty where a later member has replaced it. */
function pathOfNul(root: unknown): string {
  for (const member of membersOf(root)) {
    const { key, value } = member;
    if (key.includes('\0') || (typeof value === 'string' && value.includes('\0'))) {
      return pointerTo(member);
    }
  }
  return '';
}

interface Member {
  readonly key: string;
  readonly value: unknown;
  readonly above: Member | undefined;
}

/** Every member of every object and array. */
function* membersOf(root: unknown): Generator<Member> {
  const waiting: [parent: unknown, above: Member | undefined][] = [[root, undefined]];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [parent, above] = next;
    if (typeof parent !== 'object' || parent === null) continue;
    for (const [key, value] of Object.entries(parent) as [string, unknown][]) {
      const member = { key, value, above };
      yield member;
      waiting.push([value, member]);
    }
  }
}

/** A pointer to something deeper names the object or list that contains it. */
const MAX_POINTER_DEPTH = 20;

function pointerTo(member: Member): string {
  const keys: string[] = [];
  for (let at: Member | undefined = member; at; at = at.above) keys.push(at.key);
  return keys.reverse().slice(0, MAX_POINTER_DEPTH).map(pointerToken).join('');
}

const pointerToken = (key: string) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
