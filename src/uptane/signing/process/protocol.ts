/**
 * The protocol between the signer process and its clients over a Unix socket: one JSON object per line.
 *
 * Requests: `{"id", "method": "keys"}`, `{"id", "method": "sign", "keyid", "message": BASE64}`.
 * Answers: `{"id", "keys": [{"keyid", "key", "roles"}]}`, `{"id", "sig": HEX}`, `{"id", "error"}`; in any order.
 */
import { type ListedKey } from '../signer.js';

export interface OfferedKey {
  readonly keyid: string;
  readonly key: ListedKey;
  readonly roles: readonly string[];
}

export interface Request {
  readonly id: number;
  readonly method: string;
  readonly keyid?: string;
  readonly message?: string;
}

export interface Answer {
  readonly id: number;
  readonly keys?: readonly OfferedKey[];
  readonly sig?: string;
  readonly error?: string;
}

/** Enough for targets of 5 MB in base64. */
const LONGEST_LINE = 8 * 1024 * 1024;

/** Splits received data into lines. */
export class Lines {
  #rest: Buffer = Buffer.alloc(0);

  /** @returns complete lines; `undefined` if one is too long */
  add(bytes: Buffer): string[] | undefined {
    const lines: string[] = [];
    let from = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, from)) {
      lines.push(Buffer.concat([this.#rest, bytes.subarray(from, end)]).toString('utf8'));
      this.#rest = Buffer.alloc(0);
      from = end + 1;
    }
    this.#rest = Buffer.concat([this.#rest, bytes.subarray(from)]);
    return this.#rest.length > LONGEST_LINE ? undefined : lines;
  }
}
