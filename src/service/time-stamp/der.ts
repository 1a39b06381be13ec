/** The little of DER (ITU-T X.690) that time stamps need: elements are read from and written as bytes. Pure. */

/** The bytes are not DER, or not what was expected at this place. */
export class BadDer extends Error {
  override readonly name = 'BadDer';
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  /** Context-specific, constructed: `[0]`, `[1]` … */
  context: (number: number) => 0xa0 + number,
} as const;

/** One element: tag, content, and all of its bytes. */
export class DerElement {
  constructor(
    readonly tag: number,
    readonly content: Buffer,
    readonly bytes: Buffer,
  ) {}

  /** The elements in it. @throws BadDer */
  get children(): readonly DerElement[] {
    return elementsIn(this.content);
  }

  /** @throws BadDer unless it has this tag */
  as(tag: number, what: string): this {
    if (this.tag !== tag) throw new BadDer(`${what} has the tag ${this.tag}, not ${tag}`);
    return this;
  }

  /** @throws BadDer */
  get integer(): bigint {
    const { content } = this.as(TAG.integer, 'an integer');
    if (content.length === 0) throw new BadDer('an integer has no bytes');
    return BigInt.asIntN(content.length * 8, BigInt(`0x${content.toString('hex')}`));
  }

  /** Dotted. @throws BadDer */
  get oid(): string {
    const { content } = this.as(TAG.oid, 'an object identifier');
    const arcs: bigint[] = [];
    let arc = 0n;
    for (const byte of content) {
      arc = arc * 128n + BigInt(byte & 0x7f);
      if (byte & 0x80) continue;
      arcs.push(arc);
      arc = 0n;
    }
    const [first = 0n, ...rest] = arcs;
    const root = first < 80n ? first / 40n : 2n;
    return [root, first - root * 40n, ...rest].join('.');
  }

  /** ms; fractions of a second beyond that are cut. @throws BadDer */
  get generalizedTime(): number {
    const text = this.as(TAG.generalizedTime, 'a time').content.toString('latin1');
    const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,9}))?Z$/.exec(text);
    if (!parts) throw new BadDer(`'${text}' is no time in UTC`);
    const [, year, month, day, hour, minute, second, fraction = '0'] = parts;
    const milliseconds = fraction.padEnd(3, '0').slice(0, 3);
    const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}Z`;
    const time = Date.parse(iso);
    if (Number.isNaN(time)) throw new BadDer(`'${text}' is no time`);
    return time;
  }
}

/** Exactly one element. @throws BadDer */
export function readDer(bytes: Uint8Array): DerElement {
  const [element, ...more] = elementsIn(Buffer.from(bytes));
  if (!element || more.length > 0) throw new BadDer('is not one element');
  return element;
}

function elementsIn(bytes: Buffer): DerElement[] {
  const elements: DerElement[] = [];
  for (let start = 0; start < bytes.length;) {
    const tag = bytes[start] ?? 0;
    if ((tag & 0x1f) === 0x1f) throw new BadDer('has a tag of several bytes');
    const { from, length } = lengthAt(bytes, start + 1);
    const end = from + length;
    if (end > bytes.length) throw new BadDer('ends in the middle of an element');
    elements.push(new DerElement(tag, bytes.subarray(from, end), bytes.subarray(start, end)));
    start = end;
  }
  return elements;
}

function lengthAt(bytes: Buffer, at: number): { readonly from: number; readonly length: number } {
  const first = bytes[at];
  if (first === undefined) throw new BadDer('ends before a length');
  if (first < 0x80) return { from: at + 1, length: first };
  const digits = first & 0x7f;
  // 0x80 begins content of indefinite length, which DER does not have; 4 GiB are more than we read.
  if (digits === 0 || digits > 4 || at + 1 + digits > bytes.length) {
    throw new BadDer('has a length that DER does not have');
  }
  const length = bytes.readUIntBE(at + 1, digits);
  if (length < 0x80 || length < 2 ** (8 * (digits - 1))) {
    throw new BadDer('has a length that is not written as DER writes it');
  }
  return { from: at + 1 + digits, length };
}

/** @param content bytes, or the elements in it */
export function writeDer(tag: number, content: Uint8Array | readonly Uint8Array[]): Buffer {
  const bytes = content instanceof Uint8Array ? content : Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthOf(bytes.length), bytes]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const hex = length.toString(16);
  const digits = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.from([0x80 | digits.length]), digits]);
}

/** A positive integer. */
export function writeInteger(value: bigint): Buffer {
  const hex = value.toString(16);
  const digits = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  const isNegative = ((digits[0] ?? 0) & 0x80) !== 0;
  return writeDer(TAG.integer, isNegative ? Buffer.concat([Buffer.from([0]), digits]) : digits);
}

/** @param dotted e.g. `2.16.840.1.101.3.4.2.1` */
export function writeOid(dotted: string): Buffer {
  const [root = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [root * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      digits.unshift((left & 0x7f) | 0x80);
    }
    return digits;
  });
  return writeDer(TAG.oid, Buffer.from(bytes));
}
