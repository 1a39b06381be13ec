/** Random damage to metadata files, reproducible by seed. */
import { must } from './must.js';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export class Mutations {
  readonly #generator;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
  }

  /** From 0 to `below` - 1. */
  below(below: number): number {
    return uniformInt(this.#generator, 0, below - 1);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  /** One to three changes of bytes or of fragments of JSON text. */
  ofBytes(file: Buffer): Buffer {
    let bytes = file;
    for (let count = 1 + this.below(3); count > 0; count -= 1) bytes = this.#change(bytes);
    return bytes;
  }

  #change(bytes: Buffer): Buffer {
    const at = this.below(bytes.length + 1);
    const end = Math.min(bytes.length, at + 1 + this.below(8));
    const splice = (put: string | Uint8Array, until = end) =>
      Buffer.concat([bytes.subarray(0, at), Buffer.from(put), bytes.subarray(until)]);
    switch (this.below(7)) {
      case 0: {
        const copy = Buffer.from(bytes);
        if (at < copy.length) copy[at] = must(copy[at]) ^ (1 << this.below(8));
        return copy;
      }
      case 1:
        return splice('');
      case 2:
        return splice(Buffer.from([this.below(256)]), at);
      case 3:
        return splice(this.pick(TOKENS), at);
      case 4:
        return splice(this.pick(TOKENS));
      case 5: {
        // A fragment from elsewhere in the file.
        const from = this.below(bytes.length);
        return splice(bytes.subarray(from, from + 1 + this.below(200)), at);
      }
      default:
        return bytes.subarray(0, at);
    }
  }

  /** Changes one value, name or item somewhere in parsed JSON, in place. */
  ofJson(root: object): void {
    const places: [holder: any, key: string | number][] = [];
    const collect = (value: unknown) => {
      if (typeof value !== 'object' || value === null) return;
      const keys = Array.isArray(value) ? value.keys() : Object.keys(value);
      for (const key of keys) {
        places.push([value, key]);
        collect((value as any)[key]);
      }
    };
    collect(root);
    const [holder, key] = this.pick(places);
    switch (this.below(5)) {
      case 0:
        if (Array.isArray(holder)) holder.splice(Number(key), 1);
        else Reflect.deleteProperty(holder, key);
        return;
      case 1: {
        // Renamed, or duplicated.
        const value = structuredClone(holder[key]);
        if (Array.isArray(holder)) holder.push(value);
        else
          Object.defineProperty(holder, this.pick(NAMES), {
            value,
            enumerable: true,
            configurable: true,
            writable: true,
          });
        return;
      }
      case 2: {
        const [otherHolder, otherKey] = this.pick(places);
        holder[key] = structuredClone(otherHolder[otherKey]);
        return;
      }
      case 3:
        if (typeof holder[key] === 'number') holder[key] += this.pick([-1, 1, 1_000]);
        else if (typeof holder[key] === 'string') holder[key] = this.#text(holder[key]);
        else holder[key] = structuredClone(this.pick(VALUES));
        return;
      default:
        holder[key] = structuredClone(this.pick(VALUES));
    }
  }

  #text(text: string): string {
    return this.pick([text.slice(1), `${text} `, text.toUpperCase(), `${text}\0`, '']);
  }
}

const TOKENS = [
  '{', '}', '[', ']', ',', ':', '"', '\\', '0', '-', '1e999', 'null', 'true', '""', '{}', '[]',
  '"__proto__":{}', '\\u0000', '\\ud800', '\u{1f697}', '\ufeff', ' ', '\n', '9007199254740993',
  '"version":2,', '"expires":"9999-12-31T23:59:59Z",', '"threshold":0,', '"signatures":[],',
  '"signed":{},',
]; // prettier-ignore

const NAMES = [
  '__proto__',
  'constructor',
  'delegations',
  'targets',
  'roles',
  'hardwareIds',
  'x',
  '',
];

const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  2,
  2 ** 53 - 1,
  '',
  '*',
  '__proto__',
  'targets',
  '../../x',
  'x'.repeat(5_000),
  [],
  {},
  [[]],
  [null],
  { length: 1 },
  JSON.parse('{"__proto__":{"a":1}}'),
];
