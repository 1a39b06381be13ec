/**
 * Reads DER (ITU-T X.690) strictly: one encoding per value, no indefinite lengths, no trailing bytes. Anything that
 * OpenSSL might read differently is refused.
 */

/** The bytes are not the expected DER; the message names the fault. */
export class DerFault extends Error {
  override readonly name = 'DerFault';
}

/** Tags of the universal class. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Tag of `[number]`; constructed: EXPLICIT, or IMPLICIT of a SEQUENCE or SET. */
export const contextTag = (number: number, isConstructed: boolean): number =>
  (isConstructed ? 0xa0 : 0x80) | number;

/** One value. */
export interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** With its tag and its length. */
  readonly bytes: Buffer;
}

/** The only value in these bytes. @throws DerFault */
export function readDer(bytes: Uint8Array, tag: number): Element {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { element, end } = elementAt(buffer, 0);
  if (end !== buffer.length) throw new DerFault('bytes follow the end of the structure');
  return expectTag(element, tag);
}

/** The values within a SEQUENCE, a SET or an EXPLICIT tag. @throws DerFault */
export function childrenOf({ content }: Element): Element[] {
  const children: Element[] = [];
  for (let offset = 0; offset < content.length;) {
    const { element, end } = elementAt(content, offset);
    children.push(element);
    offset = end;
  }
  return children;
}

/** @throws DerFault if there is no element, or one of another type */
export function expectTag(element: Element | undefined, tag: number): Element {
  if (!element) throw new DerFault('a value is missing');
  if (element.tag === tag) return element;
  throw new DerFault(`tag 0x${element.tag.toString(16)} in place of 0x${tag.toString(16)}`);
}

function elementAt(buffer: Buffer, offset: number): { element: Element; end: number } {
  const tag = buffer[offset];
  const first = buffer[offset + 1];
  if (tag === undefined || first === undefined) throw new DerFault('the structure is cut off');
  if ((tag & 0x1f) === 0x1f) throw new DerFault('a tag is above 30');
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthBytes > 4) throw new DerFault('a length is not DER');
  const start = offset + 2 + lengthBytes;
  if (start > buffer.length) throw new DerFault('the structure is cut off');
  const length = lengthBytes === 0 ? first : buffer.readUIntBE(offset + 2, lengthBytes);
  const isShortest =
    lengthBytes === 0 || (length >= 0x80 && length >= 2 ** (8 * (lengthBytes - 1)));
  if (!isShortest) throw new DerFault('a length is not DER');
  const end = start + length;
  if (end > buffer.length) throw new DerFault('the structure is cut off');
  return {
    element: { tag, content: buffer.subarray(start, end), bytes: buffer.subarray(offset, end) },
    end,
  };
}

/** Dotted decimal, e.g. `2.5.4.3`. @throws DerFault */
export function readOid(element: Element | undefined): string {
  const { content } = expectTag(element, TAG.oid);
  const arcs: number[] = [];
  let arc = 0;
  for (const [index, byte] of content.entries()) {
    if (arc === 0 && byte === 0x80) throw new DerFault('an object identifier is not DER');
    arc = arc * 128 + (byte & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER) throw new DerFault('an object identifier is too large');
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0;
    } else if (index === content.length - 1) throw new DerFault('an object identifier is cut off');
  }
  const [head] = arcs;
  if (head === undefined) throw new DerFault('an object identifier is empty');
  const top = Math.min(2, Math.floor(head / 40));
  return [top, head - 40 * top, ...arcs.slice(1)].join('.');
}

/** Signed. @throws DerFault */
export function readInteger(element: Element | undefined): bigint {
  const { content } = expectTag(element, TAG.integer);
  const [first, second = 0] = content;
  const isShortest =
    first !== undefined &&
    (content.length === 1 || (first !== 0 && first !== 0xff) || first >> 7 !== second >> 7);
  if (!isShortest) throw new DerFault('an integer is not DER');
  return BigInt.asIntN(content.length * 8, BigInt(`0x${content.toString('hex')}`));
}

/** Of a serial number: lower-case hexadecimal without leading zeros. @throws DerFault */
export function readSerial(element: Element | undefined): string {
  const { content } = expectTag(element, TAG.integer);
  const [first, second] = content;
  const isShortest =
    first !== undefined && !(content.length > 1 && first === 0 && (second ?? 0) < 0x80);
  if (!isShortest || first >= 0x80) throw new DerFault('a serial number is not a positive integer');
  const hex = content.toString('hex').replace(/^0+/, '');
  if (hex === '') throw new DerFault('a serial number is zero');
  return hex;
}

/** @throws DerFault */
export function readBoolean(element: Element | undefined): boolean {
  const { content } = expectTag(element, TAG.boolean);
  if (content.length === 1 && (content[0] === 0 || content[0] === 0xff)) return content[0] === 0xff;
  throw new DerFault('a boolean is not DER');
}

/** Of whole bytes, as signatures and keys are. @throws DerFault */
export function readBits(element: Element | undefined): Buffer {
  const { content } = expectTag(element, TAG.bitString);
  if (content[0] !== 0) throw new DerFault('a bit string does not consist of whole bytes');
  return content.subarray(1);
}

/** RFC 5280, section 4.1.2.5: UTC, with seconds. @returns ms @throws DerFault */
export function readTime(element: Element | undefined): number {
  if (!element) throw new DerFault('a time is missing');
  const text = element.content.toString('latin1');
  const year = element.tag === TAG.utcTime ? /^\d\d/ : /^\d{4}/;
  const isTime = element.tag === TAG.utcTime || element.tag === TAG.generalizedTime;
  const digits = year.exec(text)?.[0];
  const rest = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text.slice(digits?.length ?? 0));
  if (!isTime || digits === undefined || !rest) throw new DerFault('a time is not DER');
  const century = element.tag === TAG.utcTime ? (Number(digits) >= 50 ? '19' : '20') : '';
  const [, month, day, hour, minute, second] = rest;
  const time = Date.parse(`${century}${digits}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(time)) throw new DerFault('a time does not exist');
  return time;
}

/**
 * A GeneralizedTime that may have fractions of a second (RFC 3161, section 2.4.2). DER forbids trailing zeros, but some
 * authorities write a fixed number of digits; the meaning of the signed time is the same.
 *
 * @returns whole ms
 * @throws DerFault
 */
export function readPreciseTime(element: Element | undefined): number {
  const text = expectTag(element, TAG.generalizedTime).content.toString('latin1');
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,9}))?Z$/.exec(text);
  if (!parts) throw new DerFault('a time is not DER');
  const [, year, month, day, hour, minute, second, fraction = '0'] = parts;
  const milliseconds = fraction.padEnd(3, '0').slice(0, 3);
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}Z`;
  const time = Date.parse(iso);
  if (Number.isNaN(time)) throw new DerFault('a time does not exist');
  return time;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;

/** A DirectoryString or an IA5String. @throws DerFault */
export function readText({ tag, content }: Element): string {
  switch (tag) {
    case TAG.utf8String:
      try {
        return UTF8.decode(content);
      } catch {
        throw new DerFault('a text is not UTF-8');
      }
    case TAG.printableString: {
      const text = content.toString('latin1');
      if (!PRINTABLE.test(text)) throw new DerFault('a PrintableString has other characters');
      return text;
    }
    case TAG.ia5String:
      if (content.some((byte) => byte >= 0x80)) throw new DerFault('an IA5String is not ASCII');
      return content.toString('latin1');
    default:
      throw new DerFault(`texts of type 0x${tag.toString(16)} are not read`);
  }
}
