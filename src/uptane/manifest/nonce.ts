/** Nonces of ECU version reports and of time requests: 16 random bytes, used once. */
import { randomBytes } from 'node:crypto';
import { type Reader } from '../json/reader.js';

const BYTES = 16;

const FORM = /^[0-9a-f]{32}$/;

/** 32 lower-case hex digits. */
export const newNonce = (): string => randomBytes(BYTES).toString('hex');

/** @throws Refusal `malformed` */
export function readNonce(member: Reader): string {
  const nonce = member.string();
  return FORM.test(nonce) ? nonce : member.refuse('32 lower-case hex digits');
}
