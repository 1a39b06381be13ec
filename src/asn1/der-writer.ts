/** Writes DER (ITU-T X.690). */
import { TAG } from './der-reader.js';

/** A value with this tag and these parts as its content. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const hex = length.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => der(TAG.sequence, ...parts);
export const set = (...parts: readonly Uint8Array[]): Buffer => der(TAG.set, ...parts);
export const octets = (bytes: Uint8Array): Buffer => der(TAG.octetString, bytes);
/** Of whole bytes. */
export const bits = (bytes: Uint8Array): Buffer => der(TAG.bitString, Buffer.from([0]), bytes);
export const utf8 = (text: string): Buffer => der(TAG.utf8String, Buffer.from(text));
export const truth = (value: boolean): Buffer =>
  der(TAG.boolean, Buffer.from([value ? 0xff : 0x00]));

/** @param value not negative */
export function integer(value: bigint): Buffer {
  const digits = value.toString(16);
  const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  const isHigh = (bytes[0] ?? 0) >= 0x80;
  return der(TAG.integer, isHigh ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

/** @param text dotted decimal */
export function oid(text: string): Buffer {
  const [top = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [40 * top + second, ...rest].flatMap((arc) => {
    const groups = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      groups.unshift((left % 128) | 0x80);
    }
    return groups;
  });
  return der(TAG.oid, Buffer.from(bytes));
}

/** UTCTime until 2049, then GeneralizedTime (RFC 5280, section 4.1.2.5). @param time ms; fractions of a second are dropped */
export function time(time: number): Buffer {
  const digits = new Date(time).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return Number(digits.slice(0, 4)) < 2050
    ? der(TAG.utcTime, Buffer.from(digits.slice(2)))
    : der(TAG.generalizedTime, Buffer.from(digits));
}
