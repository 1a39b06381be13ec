/**
 * The port of an HTTP interface for vehicles: TLS, with a client certificate in place of a token. It serves only the routes
 * that vehicles need. Without a certificate, only the routes of enrolment are accessible.
 */
import { once } from 'node:events';
import { createServer, type Server as HttpsServer } from 'node:https';
import { type AddressInfo, type Socket } from 'node:net';
import { type TLSSocket } from 'node:tls';
import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { type Caller, VEHICLE_ROLE } from '../access/index.js';
import { DEFAULT_HTTP_LIMITS, type HttpLimit, type HttpLimits } from '../limits/index.js';
import {
  CertificateRefused,
  type CertifiedVehicle,
  failedCertificate,
  type FailedCertificate,
  type VehicleTls,
} from '../vehicle-tls/index.js';
import { Problem } from './problem.js';
import { limitConnections } from './request-limits.js';

export interface VehicleDoorOptions {
  readonly tls: VehicleTls;
  /** The VIN of the vehicle whose certificate has this name. */
  readonly vinOf: (systemId: string) => Promise<string | undefined>;
  readonly limits: HttpLimits | undefined;
  readonly onRefused: (limit: HttpLimit) => void;
  /** Called for each certificate that was refused, and for each request that has none but needs one. */
  readonly onSignInFailed: (attempt: FailedCertificate) => void;
}

/** Routes for vehicles besides those of permission `fetch`: they need neither a token nor a certificate of a known vehicle. */
const OPEN = ['/uptane/image/', '/v1.0/artifacts/:sha256/content', '/.well-known/est/'];
/** Time for the handshake, ms. */
const HANDSHAKE_MS = 20_000;

export class VehicleDoor {
  readonly #options: VehicleDoorOptions;
  readonly #sockets = new WeakMap<Socket, TLSSocket>();
  #server: HttpsServer | undefined;

  constructor(options: VehicleDoorOptions) {
    this.#options = options;
  }

  /** Whether the request arrived at this port. */
  isAt({ raw }: FastifyRequest): boolean {
    return this.#sockets.has(raw.socket);
  }

  /** @throws Problem 401, 404 */
  async admit(request: FastifyRequest): Promise<void> {
    const { url = '', config } = request.routeOptions;
    if (OPEN.some((prefix) => url.startsWith(prefix)) && config.permission === undefined) return;
    if (config.permission !== 'fetch') {
      throw new Problem('NOT_FOUND', 'the port for vehicles has no such route');
    }
    request.caller = await this.#callerOf(request, this.certified(request));
  }

  /** The certificate's vehicle. @throws Problem 401 */
  certified({ raw }: FastifyRequest): CertifiedVehicle {
    const socket = this.#sockets.get(raw.socket);
    if (!socket) {
      this.#failed(raw.socket);
      throw new Problem('UNAUTHORIZED', 'a client certificate is needed');
    }
    try {
      return this.#options.tls.vehicleAt(socket);
    } catch (error) {
      if (!(error instanceof CertificateRefused)) throw error;
      this.#failed(socket);
      throw new Problem('UNAUTHORIZED', error.message);
    }
  }

  /** The system_id in the certificate, if it is valid for a first enrolment only. */
  bootstrapped({ raw }: FastifyRequest): CertifiedVehicle | undefined {
    const socket = this.#sockets.get(raw.socket);
    if (!socket || !this.#options.tls.hasCertificate(socket)) return undefined;
    try {
      return this.#options.tls.bootstrapAt(socket);
    } catch (error) {
      if (error instanceof CertificateRefused) return undefined;
      throw error;
    }
  }

  /** As one with a token of role vehicle is. @throws Problem 401 */
  async #callerOf(
    { raw }: FastifyRequest,
    { systemId, serial }: CertifiedVehicle,
  ): Promise<Caller> {
    const vin = await this.#options.vinOf(systemId);
    if (vin === undefined) {
      this.#failed(raw.socket);
      throw new Problem('UNAUTHORIZED', `no vehicle has the system_id ${systemId}`);
    }
    return { id: `certificate ${serial}`, name: systemId, role: VEHICLE_ROLE, vin, scopes: null };
  }

  /** @param fastify ready @param port 0: any free one @returns the port @throws Error with code EADDRINUSE */
  async listen(fastify: FastifyInstance, host: string, port: number): Promise<number> {
    const { tls, limits = DEFAULT_HTTP_LIMITS, onRefused } = this.#options;
    const server = createServer(
      {
        ...tls.serverOptions,
        // A vehicle that enrols has none yet; if it sends one, it must be valid.
        rejectUnauthorized: false,
        handshakeTimeout: HANDSHAKE_MS,
        headersTimeout: limits.headersSeconds * 1000,
        requestTimeout: 0,
      },
      (request, response) => fastify.routing(request, response),
    );
    limitConnections({ server }, limits, onRefused);
    tls.follow(server);
    server.on('secureConnection', (socket: TLSSocket) => {
      this.#sockets.set(socket, socket);
      if (!tls.hasCertificate(socket)) return;
      try {
        tls.bootstrapAt(socket);
      } catch {
        onRefused('certificates');
        this.#failed(socket);
        socket.destroy();
      }
    });
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    server.listen({ host, port });
    await once(server, 'listening');
    this.#server = server;
    return (server.address() as AddressInfo).port;
  }

  #failed(socket: Socket): void {
    this.#options.onSignInFailed(failedCertificate(socket));
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }
}
