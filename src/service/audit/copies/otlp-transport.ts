/** Sends the audit log to a receiver of logs over OTLP/HTTP, in JSON (OpenTelemetry Protocol 1, section OTLP/HTTP). */
import { gzip } from 'node:zlib';
import { promisify } from 'node:util';
import { BadSettings } from '../../bad-settings.js';
import { BatchRefused, type CopyTransport } from './copied-line.js';
import { otlpRequest, refusedRecords } from './otlp-logs.js';

/** The receiver did not accept the records. */
class OtlpRefused extends Error {
  override readonly name = 'OtlpRefused';
}

interface OtlpOptions {
  /** With its path, usually `/v1/logs`. */
  readonly url: string;
  /** Sent as `authorization: Bearer …`. */
  readonly token?: string | undefined;
  /** Reaches the receiver, with the CAs to trust; undefined: Node’s own. */
  readonly fetch?: typeof fetch | undefined;
}

/** Timeout of a request, ms: database transactions must not wait longer. */
const TIMEOUT_MS = 5_000;
const LONGEST_REASON = 200;
/** The same request will not be accepted later either (section Failures); RFC 9110, section 15.5.14. */
const FOR_GOOD: ReadonlySet<number> = new Set([400, 413]);
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
const compress = promisify(gzip);

/** @throws BadSettings where a token would go over plain HTTP */
export function openOtlp({ url, token, fetch: send = fetch }: OtlpOptions): CopyTransport {
  const to = new URL(url);
  if (token !== undefined && to.protocol !== 'https:' && !LOOPBACK.test(to.hostname)) {
    throw new BadSettings('--audit-otlp must be https if --audit-otlp-token is given');
  }
  const closing = new AbortController();
  return {
    name: 'otlp',
    async send(lines, sender) {
      const body = await compress(JSON.stringify(otlpRequest(lines, sender, Date.now())));
      const response = await send(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-encoding': 'gzip',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body: new Uint8Array(body),
        // Redirects are not followed: no other host may get the token or the log.
        redirect: 'error',
        signal: AbortSignal.any([closing.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      const answer = await response.text();
      if (!response.ok) {
        const why = `${response.status}: ${answer.slice(0, LONGEST_REASON)}`;
        if (!FOR_GOOD.has(response.status)) {
          throw new OtlpRefused(`the receiver of OTLP answers ${why}`);
        }
        if (lines.length > 1) throw new BatchRefused(`the receiver of OTLP answers ${why}`);
        const which = `${lines[0]?.kind} (position ${lines[0]?.facts.position})`;
        return new OtlpRefused(
          `the receiver of OTLP answers to the record of ${which} with ${why}`,
        );
      }
      const refused = refusedRecords(answer);
      // Such records must not be repeated (OpenTelemetry Protocol 1, section Partial Success).
      return refused === undefined
        ? undefined
        : new OtlpRefused(`of ${lines.length} records, ${refused}`);
    },
    close: () => closing.abort(),
  };
}
