/** Asks a time-stamping authority over HTTP (RFC 3161, section 3.4). */
import { randomBytes, type X509Certificate } from 'node:crypto';
import { BadTimeStamp } from './bad-time-stamp.js';
import { checkTimeStamp } from './time-stamp-answer.js';
import { timeStampRequest } from './time-stamp-request.js';

/** The authority does not answer, or its time stamp does not match the request; the message gives the reason. */
export class TimeStampUnavailable extends Error {
  override readonly name = 'TimeStampUnavailable';
}

/** Certificates make an answer a few kilobytes long. */
const MAX_ANSWER = 256 * 1024;
const TIMEOUT_MS = 30_000;
const NONCE_BYTES = 8;

/** The authority's statement about a hash. */
export interface TimeStamp {
  /** ms */
  readonly time: number;
  /** TimeStampResp (RFC 3161), DER. */
  readonly token: Uint8Array;
}

interface AskOptions {
  /** Certificates of authorities; undefined: any responder is accepted. */
  readonly trusted?: readonly X509Certificate[] | undefined;
  /** With the CAs to trust in HTTPS; undefined: Node’s own. */
  readonly fetch?: typeof fetch | undefined;
}

/**
 * @param url of the authority
 * @param sha256 hexadecimal
 * @throws TimeStampUnavailable
 */
export async function askTimeStamp(
  url: string,
  sha256: string,
  { trusted, fetch: ask = fetch }: AskOptions = {},
): Promise<TimeStamp> {
  const nonce = BigInt(`0x${randomBytes(NONCE_BYTES).toString('hex')}`) + 1n;
  try {
    const response = await ask(url, {
      method: 'POST',
      headers: { 'content-type': 'application/timestamp-query' },
      body: new Uint8Array(timeStampRequest(sha256, nonce)),
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status !== 200) throw new BadTimeStamp(`the answer has status ${response.status}`);
    const token = await bytesOf(response);
    const { time } = checkTimeStamp(token, { imprint: sha256, nonce, trusted });
    return { time, token };
  } catch (error) {
    const { message, cause } = error as Error;
    const why = cause instanceof Error && cause.message !== '' ? cause.message : message;
    throw new TimeStampUnavailable(`the time-stamping authority at ${originOf(url)}: ${why}`, {
      cause: error,
    });
  }
}

/** A path or a query may hold a secret. */
const originOf = (url: string) => new URL(url).origin;

async function bytesOf(response: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const body: AsyncIterable<Uint8Array> | readonly Uint8Array[] = response.body ?? [];
  for await (const part of body) {
    parts.push(part);
    length += part.length;
    if (length > MAX_ANSWER) throw new BadTimeStamp('the answer is too long');
  }
  return Buffer.concat(parts);
}
