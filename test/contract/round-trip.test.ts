import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeMessage, encodeMessage } from '../../src/contract/index.js';
import { anyMessage } from './arbitraries.js';
import { cases } from '../support/depth.js';

test('every valid message survives encoding and decoding', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      expect(decodeMessage(encodeMessage(message))).toEqual({ ok: true, value: message });
    }),
    cases({ quick: 200, full: 3_000 }),
  );
});

test('unknown extra fields are kept', () => {
  fc.assert(
    fc.property(anyMessage, fc.jsonValue(), (message, extra) => {
      const extended = { ...message, 'x-vendor': extra };
      expect(decodeMessage(encodeMessage(extended))).toMatchObject({
        ok: true,
        value: { 'x-vendor': JSON.parse(JSON.stringify(extra)) as unknown },
      });
    }),
    cases({ quick: 100, full: 300 }),
  );
});
