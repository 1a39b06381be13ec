/** A CarOTA Server for a vehicle's downloads, with faults chosen by the test. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import {
  type Artifact,
  type Signer,
  signScript,
  type UpdateScript,
} from '../../../src/update-script/index.js';
import { type Authority, newAuthority, newSigner } from '../../support/certificates.js';

export type Fault =
  /** The connection is closed after that many bytes of the file. */
  | { kind: 'truncate'; after: number; times: number }
  /** One byte is wrong. */
  | { kind: 'corrupt' }
  /** Nothing is sent after that many bytes. */
  | { kind: 'stall'; after: number; times: number }
  | { kind: 'status'; status: number; times: number }
  /** The file is longer or shorter than the script says. */
  | { kind: 'length'; by: number }
  /** After the first disconnect, the file is another one of the same length. */
  | { kind: 'changed'; after: number }
  /** The server does not support ranges. */
  | { kind: 'no ranges'; after: number };

export interface CarotaDouble {
  readonly url: string;
  readonly anchor: Authority;
  readonly requests: { path: string; range: string | undefined; bytes: number }[];
  fault: Fault | undefined;
  artifact(bytes: Buffer): Artifact;
  /** @param signedAt ms */
  publish(script: UpdateScript, signer?: Signer, signedAt?: number): Promise<void>;
  /** The answer, signed or not, to a request for a script. */
  answer(scriptRefId: string, body: unknown, status?: number): void;
  close(): Promise<void>;
}

export async function startCarotaDouble(): Promise<CarotaDouble> {
  const anchor = await newAuthority('anchor');
  const ownSigner = await newSigner(anchor);
  const files = new Map<string, Buffer>();
  const answers = new Map<string, { status: number; body: unknown }>();
  const requests: CarotaDouble['requests'] = [];
  let addresses = 0;

  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    const script = /^\/v1\.0\/update-scripts\/(.+)\/delivery$/.exec(path)?.[1];
    if (script !== undefined) deliver(script, response);
    else sendFile(path, request, response);
  });
  const deliver = (scriptRefId: string, response: ServerResponse) => {
    const { status, body } = answers.get(scriptRefId) ?? { status: 404, body: {} };
    addresses += 1;
    const artifacts = Object.fromEntries(
      [...files.keys()].map((sha256) => [sha256, `/files/${sha256}?address=${addresses}`]),
    );
    const isScript = typeof body === 'string';
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isScript ? { script: body, artifacts } : body));
  };
  const sendFile = (path: string, request: IncomingMessage, response: ServerResponse) => {
    const [, sha256 = ''] = /^\/files\/([0-9a-f]+)/.exec(path) ?? [];
    let file = files.get(sha256);
    if (!file) {
      response.writeHead(404).end();
      return;
    }
    const { fault } = double;
    let etag = `"${sha256}"`;
    const noted = { path, range: request.headers.range, bytes: 0 };
    requests.push(noted);
    if (fault?.kind === 'status' && fault.times > 0) {
      fault.times -= 1;
      response.writeHead(fault.status).end();
      return;
    }
    if (fault?.kind === 'length')
      file = Buffer.concat([file, Buffer.alloc(10)]).subarray(0, file.length + fault.by);
    if (fault?.kind === 'corrupt') {
      file = Buffer.from(file);
      file[file.length >> 1] = (file[file.length >> 1] ?? 0) ^ 1;
    }
    if (fault?.kind === 'changed' && requests.length > 1) {
      file = Buffer.alloc(file.length, 7);
      etag = '"another"';
    }
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const same = (request.headers['if-range'] ?? etag) === etag;
    const isRange = from > 0 && same && fault?.kind !== 'no ranges';
    const body = isRange ? file.subarray(from) : file;
    response.writeHead(isRange ? 206 : 200, {
      etag,
      'content-length': body.length,
      ...(isRange ? { 'content-range': `bytes ${from}-${file.length - 1}/${file.length}` } : {}),
    });
    const breaks =
      (fault?.kind === 'truncate' || fault?.kind === 'stall') && fault.times-- > 0
        ? fault
        : (fault?.kind === 'changed' || fault?.kind === 'no ranges') && requests.length === 1
          ? fault
          : undefined;
    if (!breaks) {
      noted.bytes = body.length;
      response.end(body);
      return;
    }
    noted.bytes = Math.min(breaks.after, body.length);
    response.write(body.subarray(0, breaks.after), () => {
      if (breaks.kind !== 'stall') setTimeout(() => response.destroy(), 50);
    });
  };

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const double: CarotaDouble = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    anchor,
    requests,
    fault: undefined,
    artifact(bytes) {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      files.set(sha256, bytes);
      const md5 = createHash('md5').update(bytes).digest('hex');
      return { sha256, md5, size: bytes.length };
    },
    async publish(script, signer = ownSigner, signedAt = Date.now()) {
      const jws = await signScript(script, signer, signedAt);
      answers.set(script['script-ref-id'], { status: 200, body: jws });
    },
    answer(scriptRefId, body, status = 200) {
      answers.set(scriptRefId, { status, body });
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return double;
}

export const softwareOf = (bytes: number) => randomBytes(bytes);
