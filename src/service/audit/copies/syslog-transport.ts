/** Connections to a syslog receiver: TCP (RFC 6587), TLS (RFC 5425) or UDP (RFC 5426). */
import { createSocket } from 'node:dgram';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type CopyTransport } from './copied-line.js';
import { framed, syslogMessage } from './syslog-message.js';

/**
 * Sends messages. A syslog receiver confirms nothing, so a message counts as sent once the operating system has taken it
 * completely.
 */
interface MessageStream {
  send(messages: readonly Buffer[]): Promise<void>;
  close(): void;
}

/** The receiver accepts no messages. */
class SyslogUnavailable extends Error {
  override readonly name = 'SyslogUnavailable';
}

/** A receiver that accepts nothing for this time is considered unavailable, ms. */
const TIMEOUT_MS = 5_000;
const PORTS: Readonly<Record<string, number>> = { 'tcp:': 601, 'tls:': 6514, 'udp:': 514 };

/**
 * @param url `tcp://host:port`, `tls://host:port` or `udp://host:port`
 * @param ca to trust with TLS, PEM; undefined: Node’s own
 */
export function openSyslog(url: string, ca?: readonly string[]): CopyTransport {
  const { protocol, hostname, port } = new URL(url);
  const to = {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? (PORTS[protocol] ?? 0) : Number(port),
  };
  const stream =
    protocol === 'udp:' ? overUdp(to) : overStream(to, protocol === 'tls:' ? { ca } : undefined);
  return {
    name: 'syslog',
    async send(lines, sender) {
      await stream.send(lines.map((line) => syslogMessage(line, sender)));
      return undefined;
    },
    close: () => stream.close(),
  };
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Of a connection over TLS. */
interface Trust {
  readonly ca: readonly string[] | undefined;
}

function overStream(to: Address, trust: Trust | undefined): MessageStream {
  let socket: Socket | undefined;
  const opened = () => (socket && !socket.destroyed && socket.writable ? socket : undefined);
  return {
    async send(messages) {
      const stream = opened() ?? (await dial(to, trust));
      socket = stream;
      await complete(stream, (done) => stream.write(Buffer.concat(messages.map(framed)), done));
    },
    close: () => socket?.destroy(),
  };
}

function dial(to: Address, trust: Trust | undefined): Promise<Socket> {
  // An IP address is not a server name (RFC 6066, section 3).
  const servername = isIP(to.host) === 0 ? to.host : '';
  const ca = trust?.ca && [...trust.ca];
  const stream = trust ? connectTls({ ...to, servername, ...(ca ? { ca } : {}) }) : connect(to);
  stream.setKeepAlive(true);
  // Data from the receiver is ignored; a closed connection is noticed before the next message.
  stream.resume();
  stream.on('end', () => stream.destroy());
  stream.on('error', () => undefined);
  return complete(stream, (done) => {
    stream.once(trust ? 'secureConnect' : 'connect', () => done());
  }).then(() => stream);
}

/** Waits for the end of one step; a stream on which it fails or takes too long is destroyed. */
function complete(
  stream: Socket,
  step: (done: (error?: Error | null) => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (error?: Error | null) => {
      clearTimeout(timer);
      stream.off('error', end).off('close', onClose);
      if (error) {
        stream.destroy();
        reject(error);
      } else resolve();
    };
    const onClose = () => end(new SyslogUnavailable('the syslog receiver closed the connection'));
    const timer = setTimeout(
      () => end(new SyslogUnavailable('the syslog receiver takes nothing')),
      TIMEOUT_MS,
    );
    stream.once('error', end).once('close', onClose);
    step(end);
  });
}

function overUdp({ host, port }: Address): MessageStream {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4').unref();
  socket.on('error', () => undefined);
  return {
    async send(messages) {
      for (const message of messages) {
        await new Promise<void>((resolve, reject) => {
          socket.send(message, port, host, (error) => (error ? reject(error) : resolve()));
        });
      }
    },
    close: () => socket.close(),
  };
}
