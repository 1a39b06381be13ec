/** Asks the CarOTA Server for a client certificate (EST, RFC 7030). */
import { type KeyObject } from 'node:crypto';
import { type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { base64Lines, readCertsOnly, writeCertificateRequest } from '../../x509/index.js';
import { doWithin } from '../../contract/index.js';
import { type ClientTls } from '../client-tls.js';

/** The server to enrol with, and the vehicle's proof of identity. */
export interface EstClientOptions {
  /** https, of the CarOTA Server’s port for vehicles. */
  readonly url: URL;
  readonly systemId: string;
  readonly tls: ClientTls;
  /** For the first certificate. */
  readonly code?: string | undefined;
  /** In place of a code: a factory certificate and its key, PEM. */
  readonly bootstrap?: { readonly cert: string; readonly key: string } | undefined;
}

const LIMIT_MS = 60_000;
const MAX_ANSWER = 256 * 1024;
const MAX_DETAIL = 300;

/** The server has refused, and repeating the same request would not help. */
export class EnrolmentRefused extends Error {
  override readonly name = 'EnrolmentRefused';
}

/** Requests to the EST server. */
export class EstClient {
  readonly #options: EstClientOptions;

  constructor(options: EstClientOptions) {
    this.#options = options;
  }

  /**
   * Uses the current certificate if there is one, otherwise the one-time code or the factory certificate.
   *
   * @returns the certificate, in DER, not verified
   * @throws EnrolmentRefused; Error if there was no answer
   */
  async request(key: KeyObject, signal?: AbortSignal): Promise<Uint8Array> {
    const { systemId, tls, code, url, bootstrap } = this.#options;
    if (!tls.hasCertificate && code === undefined && !bootstrap) {
      throw new EnrolmentRefused('neither a certificate nor a one-time code is available');
    }
    const path = tls.hasCertificate ? 'simplereenroll' : 'simpleenroll';
    const address = new URL(url);
    address.pathname = `${address.pathname.replace(/\/$/, '')}/.well-known/est/${path}`;
    const body = base64Lines(writeCertificateRequest(systemId, key));
    const firstProof = code === undefined ? bootstrap : { auth: `${systemId}:${code}` };
    const options = {
      ...tls.options,
      ...(tls.hasCertificate ? {} : firstProof),
    };
    const { statusCode, answer } = await doWithin(LIMIT_MS, signal ? [signal] : [], (ending) =>
      post(address, body, { ...options, signal: ending }).then(async (response) => ({
        statusCode: response.statusCode ?? 0,
        answer: await textOf(response),
      })),
    );
    if (statusCode !== 200) {
      const said = `the CarOTA Server answers ${path} with HTTP ${statusCode}: ${answer.slice(0, MAX_DETAIL)}`;
      throw REFUSALS.has(statusCode) ? new EnrolmentRefused(said) : new Error(said);
    }
    const [certificate] = readCertsOnly(Buffer.from(answer, 'base64'));
    if (!certificate) throw new Error('the answer has no certificate');
    return certificate;
  }
}

const REFUSALS = new Set([400, 401, 403, 404]);

const post = (
  url: URL,
  body: string,
  options: Parameters<typeof httpsRequest>[1],
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    httpsRequest(
      url,
      {
        ...options,
        method: 'POST',
        agent: false,
        headers: { 'content-type': 'application/pkcs10', 'content-length': body.length },
      },
      resolve,
    )
      .on('error', reject)
      .end(body);
  });

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response as AsyncIterable<Buffer>) {
    text += chunk.toString('latin1');
    if (text.length > MAX_ANSWER) throw new Error('the answer is too long');
  }
  return text;
}
