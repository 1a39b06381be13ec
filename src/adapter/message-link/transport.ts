/** A byte stream to a broker: TCP, TLS or WebSocket. */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { type Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import WebSocket, { createWebSocketStream } from 'ws';
import { type BrokerHost, type BrokerUrl } from '../../contract/index.js';
import { Reading, ReadingMemory } from './reading-memory.js';

/** PEM texts: the broker's certificate authority, our own certificate and its key. */
export interface BrokerTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/**
 * Returns while still connecting: writes are buffered until the stream is open.
 *
 * @param onRead called with what arrives, which it has to release
 */
export function openTransport(
  url: BrokerUrl,
  broker: BrokerHost,
  tls: BrokerTls,
  onRead: (reading: Reading) => void,
): Duplex {
  if (url.protocol === 'mqtt') return openTcp(broker, onRead);
  const stream = openStream(url, broker, tls);
  const onData = (chunk: Buffer) => onRead(new Reading(chunk));
  stream.on('data', onData);
  // What is decrypted while reading is paused stays in the stream, also when an error ends it.
  stream.once('close', () => {
    stream.removeListener('data', onData);
    for (let chunk = nextChunk(stream); chunk; chunk = nextChunk(stream)) onData(chunk);
  });
  return stream;
}

const nextChunk = (stream: Duplex) => stream.read() as Buffer | null;

function openTcp({ host, port }: BrokerHost, onRead: (reading: Reading) => void): Duplex {
  const memory = new ReadingMemory();
  const onread = {
    buffer: () => memory.next(),
    callback: (bytes: number) => {
      onRead(memory.reading(bytes));
      return true;
    },
  };
  return readingToTheEnd(connectTcp({ host, port, noDelay: true, onread }));
}

/** TLS or WebSocket. */
function openStream(url: BrokerUrl, { host, port }: BrokerHost, tls: BrokerTls): Duplex {
  if (url.protocol === 'mqtts') {
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket = connectTls({ host, port, ...name, ...tls });
    socket.setNoDelay(true);
    return readingToTheEnd(socket);
  }
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const address = `${url.protocol}://${authority}${url.path}`;
  return createWebSocketStream(new WebSocket(address, 'mqtt', tls));
}

/**
 * A write that fails does not end the stream, but what ends reading does. When a broker dies, messages that it has
 * acknowledged to vehicles and that only we have may still be unread in the kernel; Node.js would discard them at our next PUBACK.
 */
function readingToTheEnd<S extends Socket>(socket: S): S {
  const write = socket._write.bind(socket);
  const writeAll = socket._writev?.bind(socket);
  let failure: Error | undefined;
  const deferFailure = (done: () => void) => (error?: Error | null) => {
    if (!error) done();
    else if (socket.readableEnded) socket.destroy(error);
    else failure ??= error;
  };
  socket._write = (chunk, encoding, done) => write(chunk, encoding, deferFailure(done));
  if (writeAll) socket._writev = (chunks, done) => writeAll(chunks, deferFailure(done));
  socket.once('end', () => {
    if (failure) socket.destroy(failure);
  });
  return socket;
}
