/** Time stamps, with OpenSSL as the authority: its answers are accepted, anything else is refused. */
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  askTimeStamp,
  BadTimeStamp,
  checkTimeStamp,
  TimeStampUnavailable,
} from '../../../src/service/time-stamp/index.js';
import { timeStampRequest } from '../../../src/service/time-stamp/time-stamp-request.js';
import { sampleOf } from '../../support/depth.js';
import { freePort, temporaryDirectory } from '../../support/servers.js';
import { startAuthority, type TestAuthority } from '../../support/time-stamp-authority.js';

const IMPRINT = createHash('sha256').update('what is stamped').digest('hex');
const OTHER = createHash('sha256').update('something else').digest('hex');
const QUIET = { stdio: 'pipe' } as const;
const certificate = (file: string) => new X509Certificate(readFileSync(file));

let rsa: TestAuthority;
let ec: TestAuthority;
let own: (query: Buffer) => { status: number; body: Buffer };

beforeAll(async () => {
  rsa = await startAuthority();
  ec = await startAuthority('P-256');
  own = rsa.answer;
});
afterAll(async () => {
  await rsa.stop();
  await ec.stop();
});

test('OpenSSL reads the request as intended', () => {
  const file = join(temporaryDirectory('tsq'), 'request.tsq');
  writeFileSync(file, timeStampRequest(IMPRINT, 0xff00000000000001n));
  const text = execFileSync('openssl', ['ts', '-query', '-in', file, '-text'], QUIET).toString();
  expect(text).toContain('Hash Algorithm: sha256');
  expect(text).toContain('Nonce: 0xFF00000000000001');
  expect(text).toContain('Certificate required: yes');
  const digits = [...text.matchAll(/^ {4}0\d\d0 - (.*?) {3}/gm)].map(([, hex = '']) => hex);
  expect(digits.join('').replaceAll(/[ -]/g, '')).toBe(IMPRINT);
});

test.each(['RSA', 'ECDSA'])(
  'a time stamp signed with %s is accepted, and OpenSSL verifies it',
  async (kind) => {
    const authority = kind === 'RSA' ? rsa : ec;
    const trusted = [certificate(authority.caFile)];
    const before = Date.now();
    const { time, token } = await askTimeStamp(authority.url, IMPRINT, { trusted });
    // The authority's clock has no fractions of a second.
    expect(time).toBeGreaterThan(before - 1_001);
    expect(time).toBeLessThanOrEqual(Date.now());
    expect(checkTimeStamp(token, { imprint: IMPRINT, trusted })).toEqual({
      time,
      authority: 'CN=Test time stamps',
    });
    const file = join(temporaryDirectory('tsr'), 'answer.tsr');
    writeFileSync(file, token);
    const verified = execFileSync('openssl', [
      ...['ts', '-verify', '-digest', IMPRINT, '-in', file, '-CAfile', authority.caFile],
    ]);
    expect(verified.toString()).toContain('Verification: OK');
  },
);

describe('refused', () => {
  const expectRefusal = (answer: Buffer, fault: string | RegExp) =>
    expect(() => checkTimeStamp(answer, { imprint: IMPRINT })).toThrow(fault);

  test('a time stamp of something else, or for another request', async () => {
    expectRefusal(rsa.reply(timeStampRequest(OTHER, 1n)), `is of ${OTHER}, not of ${IMPRINT}`);
    rsa.answer = () => ({ status: 200, body: rsa.reply(timeStampRequest(IMPRINT, 7n)) });
    await expect(askTimeStamp(rsa.url, IMPRINT)).rejects.toThrow('the nonce is not ours');
    rsa.answer = own;
  });

  test('a time stamp of an untrusted authority', () => {
    const answer = rsa.reply(timeStampRequest(IMPRINT, 1n));
    const trusted = [certificate(ec.caFile)];
    expect(() => checkTimeStamp(answer, { imprint: IMPRINT, trusted })).toThrow('not trusted');
  });

  test('an answer with which OpenSSL refuses the request, with its status', () => {
    // The request is not DER at all.
    const answer = rsa.reply(Buffer.from('nothing'));
    expectRefusal(answer, /the authority refuses: status 2/);
  });

  test('an error, a wrong or too long answer, or none, without the URL’s secrets in the message', async () => {
    for (const answer of [
      { status: 500, body: Buffer.from('') },
      { status: 200, body: Buffer.from('<html>') },
      { status: 200, body: Buffer.alloc(1024 * 1024) },
    ]) {
      rsa.answer = () => answer;
      const failed = askTimeStamp(rsa.url, IMPRINT);
      await expect(failed).rejects.toThrow(TimeStampUnavailable);
      await expect(failed).rejects.toThrow(/^(?!.*secret)/);
    }
    rsa.answer = own;
    const gone = `http://127.0.0.1:${await freePort()}/tsa`;
    await expect(askTimeStamp(gone, IMPRINT)).rejects.toThrow(/ECONNREFUSED/);
  });

  test('any change of a signed byte, and no changed byte causes another error', () => {
    const answer = rsa.reply(timeStampRequest(IMPRINT, 1n));
    const trusted = [certificate(rsa.caFile)];
    const times = new Set<number>();
    const { time } = checkTimeStamp(answer, { imprint: IMPRINT, trusted });
    for (const place of sampleOf([...answer.keys()], 12)) {
      for (const mask of [0x01, 0x80]) {
        const changed = Buffer.from(answer);
        changed[place] = (changed[place] ?? 0) ^ mask;
        try {
          times.add(checkTimeStamp(changed, { imprint: IMPRINT, trusted }).time);
        } catch (error) {
          expect(error).toBeInstanceOf(BadTimeStamp);
        }
      }
      expect(() => checkTimeStamp(answer.subarray(0, place), { imprint: IMPRINT })).toThrow(
        BadTimeStamp,
      );
    }
    // Some bytes are not signed (the status, a certificate that is not needed), but the time is.
    expect([...times, time].every((each) => each === time)).toBe(true);
  });
});
