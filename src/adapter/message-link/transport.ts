/** A byte stream to a broker: TCP, TLS or WebSocket. */
import { connect as connectTcp, isIP } from 'node:net';
import { type Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import WebSocket, { createWebSocketStream } from 'ws';
import { type BrokerHost, type BrokerUrl } from '../../contract/index.js';

/** PEM texts: the broker's certificate authority, our own certificate and its key. */
export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Returns while still connecting: writes are buffered until the stream is open. */
export function openTransport(url: BrokerUrl, { host, port }: BrokerHost, tls: TlsFiles): Duplex {
  switch (url.protocol) {
    case 'mqtt':
      return connectTcp({ host, port, noDelay: true });
    case 'mqtts': {
      const name = isIP(host) === 0 ? { servername: host } : {};
      const socket = connectTls({ host, port, ...name, ...tls });
      socket.setNoDelay(true);
      return socket;
    }
    case 'ws':
    case 'wss': {
      const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
      const address = `${url.protocol}://${authority}${url.path}`;
      return createWebSocketStream(new WebSocket(address, 'mqtt', tls));
    }
  }
}
