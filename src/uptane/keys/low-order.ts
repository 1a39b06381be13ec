/**
 * Ed25519 public keys for which signatures can be forged without a private key: the points of order 1, 2, 4 and 8.
 * OpenSSL accepts them. The y coordinates, little-endian, in all encodings; the top bit is the sign of x.
 */
const LOW_ORDER_Y = new Set([
  // Order 4: y = 0, and p, which is the same.
  '0000000000000000000000000000000000000000000000000000000000000000',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  // Order 1: y = 1, and p + 1.
  '0100000000000000000000000000000000000000000000000000000000000000',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  // Order 2: y = -1.
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  // Order 8.
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
]);

/** @param key 32 bytes */
export function isLowOrder(key: Uint8Array): boolean {
  const y = Buffer.from(key);
  y[31] = (y[31] ?? 0) & 0x7f;
  return LOW_ORDER_Y.has(y.toString('hex'));
}
