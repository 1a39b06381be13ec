/**
 * Serves a Secondary on a Unix socket. The file system controls access: only the socket's owner can connect. The
 * Secondary verifies everything it receives; limits are enforced here.
 */
import { once } from 'node:events';
import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { checkOf } from '../../../contract/index.js';
import { type TransferRate } from '../../../uptane/limits.js';
import { Refusal } from '../../../uptane/refusal.js';
import { EcuUpdate } from '../../../update-script/index.js';
import { BUNDLE_LIMITS } from '../metadata-bundle.js';
import { type Secondary } from '../secondary.js';
import { type Call, type Failure, isCall, REQUEST_LIMITS } from './calls.js';
import {
  bodyLength,
  type Header,
  LinkFault,
  MessageReader,
  PATIENCE_MS,
  writeMessage,
} from './message.js';

/** Maximum number of connections; a Primary needs one at a time. */
const MOST_CONNECTIONS = 4;

/** A Secondary that listens on its socket. */
export interface ServedSecondary {
  /** Ends all connections and removes the socket. */
  close(): Promise<void>;
}

/** Where a Secondary listens. */
export interface ServeOptions {
  /** At most 100 bytes, which fits a Unix socket address on every system. */
  readonly path: string;
  /** Called with each failed call, for a log. */
  readonly onFailure?: (call: string, error: Error) => void;
  /** Timeout for a peer that neither sends nor reads, ms. */
  readonly patienceMs?: number;
  /** Minimum rate of metadata and images (Uptane, "In-vehicle implementation requirements"). */
  readonly slowest?: TransferRate;
}

/** Serves a Secondary until it is closed. @throws Error if the socket is in use, or the path is something else */
export async function serveSecondary(
  secondary: Secondary,
  options: ServeOptions,
): Promise<ServedSecondary> {
  const { path } = options;
  await removeStaleSocket(path);
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    void answer(secondary, socket, options);
  });
  server.maxConnections = MOST_CONNECTIONS;
  await listen(server, path);
  return {
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

async function listen(server: Server, path: string): Promise<void> {
  // The socket must never be accessible to others, not even briefly.
  const before = process.umask(0o177);
  try {
    server.listen(path);
    await once(server, 'listening');
  } finally {
    process.umask(before);
  }
  chmodSync(path, 0o600);
}

async function removeStaleSocket(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`${path} exists and is not a socket`);
  const isUsed = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.on('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.on('error', () => resolve(false));
  });
  if (isUsed) throw new Error(`another process serves ${path}`);
  rmSync(path, { force: true });
}

async function answer(
  secondary: Secondary,
  socket: Socket,
  { onFailure, patienceMs = PATIENCE_MS, slowest }: ServeOptions,
): Promise<void> {
  const gone = new AbortController();
  socket.setTimeout(patienceMs, () => socket.destroy());
  socket.on('error', () => undefined);
  let call = 'request';
  try {
    const reader = new MessageReader(socket, slowest);
    const header = await reader.header(patienceMs);
    if (!isCall(header.call)) throw new LinkFault(`there is no call ${shown(header.call)}`);
    ({ call } = header as { call: Call });
    const request = await readRequest(header.call, header, reader);
    // From here on the Primary waits: writing a slot may take minutes.
    socket.setTimeout(0);
    socket.on('close', () => gone.abort());
    const { value, body } = await perform(secondary, header.call, header, request, gone.signal);
    await writeMessage(
      socket,
      { ok: value ?? null, bytes: body?.length ?? 0 },
      body === undefined ? [] : [body],
    );
    socket.end();
  } catch (error) {
    onFailure?.(call, error as Error);
    await sendFailure(socket, error as Error);
  }
}

/** Body of a call: read completely, or streamed. */
interface Request {
  readonly body: Buffer;
  readonly stream: AsyncIterable<Uint8Array>;
  readonly length: number;
}

async function readRequest(call: Call, header: Header, reader: MessageReader): Promise<Request> {
  const length = bodyLength(header.bytes ?? 0, REQUEST_LIMITS[call]);
  const isStreamed = call === 'takeImage';
  return {
    body: isStreamed ? Buffer.alloc(0) : await reader.readBody(header, REQUEST_LIMITS[call]),
    stream: reader.body(isStreamed ? length : 0),
    length,
  };
}

interface Answer {
  readonly value?: unknown;
  readonly body?: Uint8Array;
}

async function perform(
  secondary: Secondary,
  call: Call,
  header: Header,
  { body, stream, length }: Request,
  signal: AbortSignal,
): Promise<Answer> {
  switch (call) {
    case 'status':
      return { value: await secondary.status() };
    case 'nonce':
      return { value: await secondary.nonce() };
    case 'report':
      return { body: await secondary.report() };
    case 'takeTime':
      await secondary.takeTime(body);
      return {};
    case 'takeMetadata':
      return { value: await secondary.takeMetadata(bundleIn(header, body)) };
    case 'hasImage':
      return { value: await secondary.hasImage() };
    case 'takeImage':
      await secondary.takeImage(length, stream);
      return {};
    case 'version':
      return { value: await secondary.version() };
    case 'install':
      await secondary.install(updateIn(header), signal);
      return {};
    case 'check':
      await secondary.check(signal);
      return {};
    case 'activate':
    case 'confirm':
    case 'revert':
      await secondary[call](updateIn(header));
      return {};
  }
}

const checkUpdate = checkOf(EcuUpdate);

function updateIn({ update }: Header): EcuUpdate {
  if (checkUpdate.matches(update)) return update;
  const [fault] = checkUpdate.errors(update);
  throw new LinkFault(`update${fault?.path ?? ''} ${fault?.message ?? 'is wrong'}`);
}

/** `files`: path and length of each, in the order of the body. */
function bundleIn({ files }: Header, body: Buffer): Map<string, Uint8Array> {
  if (!Array.isArray(files) || files.length > BUNDLE_LIMITS.files) {
    throw new LinkFault(`files must be a list of at most ${BUNDLE_LIMITS.files}`);
  }
  const bundle = new Map<string, Uint8Array>();
  let at = 0;
  for (const file of files as readonly unknown[]) {
    const { path, length } = (file ?? {}) as { path?: unknown; length?: unknown };
    if (typeof path !== 'string') throw new LinkFault('a file has no path');
    const end = at + bodyLength(length, body.length - at);
    bundle.set(path, body.subarray(at, end));
    at = end;
  }
  if (at !== body.length) throw new LinkFault('the files are shorter than the body');
  return bundle;
}

async function sendFailure(socket: Socket, error: Error): Promise<void> {
  const failure: Failure = {
    message: error.message,
    ...(error instanceof Refusal ? { code: error.code } : {}),
    ...(error instanceof Refusal && error.attack !== undefined ? { attack: error.attack } : {}),
  };
  await writeMessage(socket, { failure }).catch(() => undefined);
  socket.end();
  // Does not wait for the rest of a rejected body.
  socket.destroySoon();
}

const shown = (name: unknown) =>
  typeof name === 'string' ? JSON.stringify(name.slice(0, 40)) : `of the type ${typeof name}`;
