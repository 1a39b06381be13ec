/** Verifies the signature of an event call-back (standardwebhooks.com). Pure. */
import { timingSafeEqual } from 'node:crypto';
import { type IncomingHttpHeaders } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { SignatureHeaders } from '../../contract/carota-api/index.js';
import { checkOf } from '../../contract/index.js';

/** Tolerance for clock differences and transfer time. */
const TOLERANCE_SECONDS = 5 * 60;

const check = checkOf(SignatureHeaders);

/**
 * @param secrets a signature with any of them is valid; during a change there are two
 * @param now ms
 * @returns why the signature is refused; undefined: it is valid
 */
export function signatureFault(
  body: string,
  headers: IncomingHttpHeaders,
  secrets: readonly string[],
  now: number,
): string | undefined {
  if (secrets.length === 0) return 'this server has no call-back secret (see --callback-secret)';
  if (!check.matches(headers)) {
    return check
      .errors(headers)
      .map(({ path, message }) => `${path.slice(1)} ${message}`)
      .join(', ');
  }
  const { 'webhook-id': id, 'webhook-timestamp': sent } = headers;
  const signatures = headers['webhook-signature'].split(' ');
  const age = now / 1000 - Number(sent);
  if (Math.abs(age) > TOLERANCE_SECONDS) {
    return `webhook-timestamp is too ${age > 0 ? 'old' : 'new'}: more than ${TOLERANCE_SECONDS} s from our time`;
  }
  const isSigned = secrets.some((secret) => {
    const expected = new Webhook(secret).sign(id, new Date(Number(sent) * 1000), body);
    return signatures.some((signature) => isEqual(signature, expected));
  });
  return isSigned ? undefined : 'no signature matches';
}

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
