/** DER is written as OpenSSL reads and writes it, and anything that is not DER is refused. */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  DerFault,
  integer,
  oid,
  readDer,
  readInteger,
  readOid,
  readPreciseTime,
  TAG,
} from '../../src/asn1/index.js';
import { isInstalled, temporaryDirectory } from '../support/servers.js';

const directory = temporaryDirectory('der');
afterAll(() => rmSync(directory, { recursive: true }));
const hasOpenSsl = await isInstalled('openssl', 'apt-get install openssl');

const INTEGERS = [0n, 1n, 127n, 128n, 255n, 256n, 32_767n, 32_768n, 2n ** 64n - 1n, 2n ** 2048n];
const OIDS = ['1.2.840.113549.1.7.2', '2.5.4.3', '2.16.840.1.101.3.4.2.1', '0.9.2342.19200300'];
const hex = (text: string) => Buffer.from(text, 'hex');

/** `openssl asn1parse -genstr`. */
function openssl(value: string): Buffer {
  const file = join(directory, 'value');
  execFileSync('openssl', ['asn1parse', '-genstr', value, '-noout', '-out', file]);
  return readFileSync(file);
}

test.each(INTEGERS)('the integer %s is read back unchanged', (value) => {
  expect(readInteger(readDer(integer(value), TAG.integer))).toBe(value);
});

test.each(OIDS)('the object identifier %s is read back unchanged', (text) => {
  expect(readOid(readDer(oid(text), TAG.oid))).toBe(text);
});

test.runIf(hasOpenSsl)(
  'integers and object identifiers have the same bytes as from OpenSSL',
  () => {
    for (const value of INTEGERS) expect(integer(value)).toEqual(openssl(`INTEGER:${value}`));
    for (const text of OIDS) expect(oid(text)).toEqual(openssl(`OID:${text}`));
    for (const value of [-1n, -128n, -129n]) {
      expect(readInteger(readDer(openssl(`INTEGER:${value}`), TAG.integer))).toBe(value);
    }
  },
);

test.each([
  ['no bytes', '0200'],
  ['a zero too many', '02020001'],
  ['a sign too many', '0202ff80'],
  ['a long length for a short value', '02810101'],
  ['an indefinite length', '0280010000'],
  ['bytes behind it', '02010100'],
  ['its end cut off', '020201'],
])('an integer with %s is refused', (_, bytes) => {
  expect(() => readInteger(readDer(hex(bytes), TAG.integer))).toThrow(DerFault);
});

const time = (text: string) =>
  readPreciseTime({ tag: TAG.generalizedTime, content: Buffer.from(text), bytes: hex('') });

test('a time may have fractions of a second, even with trailing zeros', () => {
  expect(time('20261127210000Z')).toBe(Date.parse('2026-11-27T21:00:00Z'));
  expect(time('20261127210000.5Z')).toBe(Date.parse('2026-11-27T21:00:00.500Z'));
  expect(time('20261127210000.123456Z')).toBe(Date.parse('2026-11-27T21:00:00.123Z'));
  expect(time('20261127210000.50Z')).toBe(Date.parse('2026-11-27T21:00:00.500Z'));
  expect(time('20261127210000.000Z')).toBe(Date.parse('2026-11-27T21:00:00Z'));
  for (const bad of ['20261127210000.Z', '20261127210000', '20261327210000Z', '20261127210000,5Z'])
    expect(() => time(bad), bad).toThrow(DerFault);
});
