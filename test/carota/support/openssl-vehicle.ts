/** A vehicle that enrols (EST, RFC 7030) with OpenSSL and curl. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { openssl, type Pair, runClient } from '../../support/openssl-authority.js';
import { temporaryDirectory } from '../../support/servers.js';

const folder = temporaryDirectory('openssl-vehicle');
let files = 0;

export interface Request {
  readonly key: string;
  /** Base64 of DER. */
  readonly csr: string;
}

export function requestOf(
  subject: string,
  { newKey = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], extra = [] as string[] } = {},
): Request {
  const name = `request-${++files}`;
  openssl(folder, 'req', '-newkey', ...newKey, '-nodes', '-keyout', `${name}.key`, '-outform', 'DER', '-out', `${name}.der`, '-subj', subject, ...extra); // prettier-ignore
  const csr = join(folder, `${name}.b64`);
  writeFileSync(csr, readFileSync(join(folder, `${name}.der`)).toString('base64'));
  return { key: join(folder, `${name}.key`), csr };
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  /** Seconds. */
  readonly retryAfter: number;
  readonly text: string;
}

export interface EstRequest {
  readonly from?: Pair;
  readonly as?: readonly [user: string, password: string];
  readonly csr?: string;
  readonly type?: string;
  readonly headers?: readonly string[];
}

/** @param at the vehicle port, and the authority of its certificate */
export async function est(
  at: { readonly url: string | undefined; readonly ca: string },
  path: string,
  { from, as, csr, type = 'application/pkcs10', headers = [] }: EstRequest = {},
): Promise<Answer> {
  const { output } = await runClient('curl', [
    ...['-sS', '--cacert', at.ca],
    ...['-w', '\n%header{retry-after}\n%{content_type}\n%{http_code}'],
    ...(from ? ['--cert', from.cert, '--key', from.key] : []),
    ...(as ? ['-u', as.join(':')] : []),
    ...headers.flatMap((header) => ['-H', header]),
    ...(csr === undefined ? [] : ['-H', `content-type: ${type}`, '--data-binary', `@${csr}`]),
    `${at.url}/.well-known/est/${path}`,
  ]);
  const lines = output.split('\n');
  const status = Number(lines.pop());
  const answered = lines.pop() ?? '';
  const retryAfter = Number(lines.pop());
  return { status, type: answered, retryAfter, text: lines.join('\n') };
}

/** The certificate in a certs-only answer, as OpenSSL reads it. */
export function certificateIn({ status, type, text }: Answer, { key: keyFile }: Request): Pair {
  expect([status, type]).toEqual([200, 'application/pkcs7-mime; smime-type=certs-only']);
  const name = `certificate-${++files}`;
  writeFileSync(join(folder, `${name}.p7b`), Buffer.from(text, 'base64'));
  openssl(folder, 'pkcs7', '-inform', 'DER', '-in', `${name}.p7b`, '-print_certs', '-out', `${name}.pem`); // prettier-ignore
  return { cert: join(folder, `${name}.pem`), key: keyFile };
}

export const errorCodeOf = ({ status, text }: Answer) => [status, JSON.parse(text).errorCode];
