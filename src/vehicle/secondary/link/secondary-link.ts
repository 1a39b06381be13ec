/** A Secondary in another process, over its Unix socket. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type EcuUpdate } from '../../../update-script/index.js';
import {
  EcuRefused,
  type MetadataBundle,
  type OrderedImage,
  type Secondary,
  type SecondaryStatus,
} from '../secondary.js';
import { type Call, type Failure, LARGEST_ANSWER } from './calls.js';
import { type Header, LinkFault, MessageReader, writeMessage } from './message.js';

/** The Secondary does not answer: its process is off, or the link is broken. */
export class EcuUnreachable extends Error {
  override readonly name = 'EcuUnreachable';
}

/** Timeout of calls that only compute, ms … */
const SHORT_MS = 60_000;
/** … and of calls that transfer or install software. */
const LONG_MS = 30 * 60_000;

interface Sent {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly bytes?: number;
  readonly body?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  readonly signal?: AbortSignal;
  readonly limitMs?: number;
}

interface Received {
  readonly value: unknown;
  readonly body: Buffer;
}

/** A Secondary behind its Unix socket. Each call uses a new connection, so the Secondary may restart in between. */
export class SecondaryLink implements Secondary {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Its identity. @throws EcuUnreachable */
  async status(): Promise<SecondaryStatus> {
    const { value } = await this.#call('status');
    if (isStatus(value)) return value;
    throw new EcuUnreachable(`${this.#path} does not answer as a Secondary`);
  }

  async nonce(): Promise<string> {
    return text((await this.#call('nonce')).value) ?? '';
  }

  async report(): Promise<Uint8Array> {
    return (await this.#call('report')).body;
  }

  async takeTime(signedTime: Uint8Array): Promise<void> {
    await this.#call('takeTime', { bytes: signedTime.length, body: [signedTime] });
  }

  async takeMetadata(bundle: MetadataBundle): Promise<OrderedImage | undefined> {
    const files = [...bundle].map(([path, { length }]) => ({ path, length }));
    const bytes = files.reduce((sum, { length }) => sum + length, 0);
    const sent = { header: { files }, bytes, body: bundle.values() };
    const { value } = await this.#call('takeMetadata', sent);
    const { path, length } = (value ?? {}) as { path?: unknown; length?: unknown };
    return typeof path === 'string' && typeof length === 'number' ? { path, length } : undefined;
  }

  async hasImage(): Promise<boolean> {
    return (await this.#call('hasImage', { limitMs: LONG_MS })).value === true;
  }

  async takeImage(length: number, content: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#call('takeImage', { bytes: length, body: content, limitMs: LONG_MS });
  }

  async version(): Promise<string | undefined> {
    return text((await this.#call('version')).value);
  }

  async install(update: EcuUpdate, signal: AbortSignal): Promise<void> {
    await this.#call('install', { header: { update }, signal, limitMs: LONG_MS });
  }

  async activate(update: EcuUpdate): Promise<void> {
    await this.#call('activate', { header: { update }, limitMs: LONG_MS });
  }

  /** Whether its running software is healthy. */
  async check(signal: AbortSignal): Promise<void> {
    await this.#call('check', { signal, limitMs: LONG_MS });
  }

  /** Keeps its running software. */
  async confirm(update: EcuUpdate): Promise<void> {
    await this.#call('confirm', { header: { update }, limitMs: LONG_MS });
  }

  /** Rolls back to its previous software, unless the new one was confirmed. */
  async revert(update: EcuUpdate): Promise<void> {
    await this.#call('revert', { header: { update }, limitMs: LONG_MS });
  }

  async #call(call: Call, sent: Sent = {}): Promise<Received> {
    const { signal, limitMs = SHORT_MS } = sent;
    const late = AbortSignal.timeout(limitMs);
    const ending = signal ? AbortSignal.any([signal, late]) : late;
    ending.throwIfAborted();
    const socket = connect(this.#path);
    const end = () => socket.destroy();
    ending.addEventListener('abort', end, { once: true });
    try {
      return await this.#exchange(socket, call, sent);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof EcuRefused || error instanceof EcuFailed) throw error;
      const reason = late.aborted ? `no answer in ${limitMs / 1000} s` : (error as Error).message;
      throw new EcuUnreachable(`the ECU at ${this.#path} does not answer: ${reason}`);
    } finally {
      ending.removeEventListener('abort', end);
      socket.destroy();
    }
  }

  async #exchange(socket: Socket, call: Call, sent: Sent): Promise<Received> {
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    const reader = new MessageReader(socket);
    const { header = {}, bytes = 0, body = [] } = sent;
    // A Secondary may reject a request before it has read all of it, so its answer is read in any case.
    const written = writeMessage(socket, { ...header, call, bytes }, body).catch(
      (error: unknown) => error as Error,
    );
    const answer = await reader.header().catch(async (error: unknown) => {
      throw (await written) ?? error;
    });
    throwFailure(answer);
    return { value: answer.ok ?? undefined, body: await reader.readBody(answer, LARGEST_ANSWER) };
  }
}

/** The Secondary could not perform the call, e.g. write a slot. */
class EcuFailed extends Error {
  override readonly name = 'EcuFailed';
}

function throwFailure({ failure, ok }: Header): void {
  if (failure === undefined && ok !== undefined) return;
  const { message, code, attack } = (failure ?? {}) as Partial<Failure>;
  if (typeof message !== 'string') throw new LinkFault('an answer is neither success nor failure');
  if (typeof code !== 'string') throw new EcuFailed(message);
  throw new EcuRefused(message, code, typeof attack === 'string' ? attack : undefined);
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;

function isStatus(value: unknown): value is SecondaryStatus {
  const { vin, serial, name, hardwareId, verification, roots } = (value ?? {}) as Record<
    string,
    unknown
  >;
  const { director, image } = (roots ?? {}) as Record<string, unknown>;
  return (
    [vin, serial, name, hardwareId].every((member) => typeof member === 'string') &&
    (verification === 'full' || verification === 'partial') &&
    Number.isSafeInteger(director) &&
    (image === undefined || Number.isSafeInteger(image))
  );
}
