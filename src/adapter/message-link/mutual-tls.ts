/**
 * The TLS listener of the embedded broker, which requires a client certificate. The limits on connections apply from the
 * first byte of TCP, before anything is decrypted.
 */
import { type Server, type Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { type CertifiedVehicle, type VehicleTls } from '../../service/vehicle-tls/index.js';

export interface MutualTlsOptions {
  /** 0: any free port. */
  readonly port: number;
  readonly tls: VehicleTls;
}

export interface MutualTlsServerOptions {
  readonly tls: VehicleTls;
  readonly handshakeSeconds: number;
  /** @returns whether the connection may stay open; otherwise it has been closed */
  readonly admit: (tcp: Socket) => boolean;
  readonly onVehicle: (socket: TLSSocket, vehicle: CertifiedVehicle, tcp: Socket) => void;
  /** Called for failed handshakes, and for missing or invalid certificates. */
  readonly onRefused: (error: Error) => void;
  /** Called, in addition, for missing or invalid certificates. */
  readonly onCertificateFailed: (socket: Socket) => void;
}

export function createMutualTlsServer(options: MutualTlsServerOptions): Server {
  const { tls, handshakeSeconds, admit, onVehicle, onRefused, onCertificateFailed } = options;
  const server = createServer({
    ...tls.serverOptions,
    rejectUnauthorized: true,
    handshakeTimeout: handshakeSeconds * 1000,
  });
  tls.follow(server);
  // Node.js does not reveal which socket carries the TLS connection; while both are open, address and port identify it.
  const handshaking = new Map<string, Socket>();
  server.prependListener('connection', (tcp: Socket) => {
    if (!admit(tcp)) return;
    const name = endOf(tcp);
    handshaking.set(name, tcp);
    tcp.once('close', () => {
      if (handshaking.get(name) === tcp) handshaking.delete(name);
    });
  });
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    onRefused(error);
    if (isOfCertificate(error, socket)) onCertificateFailed(tcpUnder(socket) ?? socket);
    socket.destroy();
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    const name = endOf(socket);
    const tcp = handshaking.get(name);
    handshaking.delete(name);
    socket.on('error', () => socket.destroy());
    try {
      const vehicle = tls.vehicleAt(socket);
      if (tcp) onVehicle(socket, vehicle, tcp);
      else socket.destroy();
    } catch (error) {
      onRefused(error as Error);
      onCertificateFailed(socket);
      socket.destroy();
    }
  });
  return server;
}

/** Other handshake failures are not attempts to sign in, but e.g. port scans or other versions of TLS. */
const isOfCertificate = (error: NodeJS.ErrnoException, { authorizationError }: TLSSocket) =>
  error.code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE' || Boolean(authorizationError);

/**
 * A TLS socket that Node.js has closed no longer has an address. This is not part of Node's documented interface, so it may
 * be missing.
 */
const tcpUnder = (socket: TLSSocket) =>
  (socket as unknown as { readonly _parent?: Socket | null })._parent ?? undefined;

const endOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;
