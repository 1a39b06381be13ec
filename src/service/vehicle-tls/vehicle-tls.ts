/**
 * TLS with client certificates, for listeners that vehicles connect to: who a certificate is for, whether it is still good,
 * also while its connection is open, and the renewal of the server's own certificate without a restart.
 */
import { constants } from 'node:crypto';
import { type Server, type TlsOptions, type TLSSocket } from 'node:tls';
import { type Queryable } from '../database/index.js';
import { type Certificate, readCertificate } from '../../x509/index.js';
import { RevokedSerials } from './revoked-serials.js';
import { type TlsFilePaths, type TlsFiles, TlsFileWatch } from './tls-files.js';
import { CertificateRefused, vehicleNameIn } from './vehicle-name.js';

export interface VehicleTlsOptions {
  readonly paths: TlsFilePaths;
  readonly database: Queryable;
  /** The database's time, ms. */
  readonly clock: () => number;
  /** A file or the revocations could not be read: what was known before stays in force. */
  readonly onFailure: (error: Error) => void;
  /** There are more revoked serial numbers in the database. */
  readonly onRevoked?: () => void;
  /** A connection has ended because its certificate was revoked or has expired. */
  readonly onEnded?: (systemId: string, why: string) => void;
}

/** A vehicle as its certificate names it. */
export interface CertifiedVehicle {
  readonly systemId: string;
  readonly serial: string;
  /** ms */
  readonly notAfter: number;
}

interface Peer {
  readonly vehicle: CertifiedVehicle;
  /** The vehicle's first. */
  readonly chain: readonly Certificate[];
}

/** Between two looks for expired certificates on open connections, ms. */
const LOOK_MS = 1_000;
/** No issuer beyond this one is asked for. */
const LONGEST_CHAIN = 8;

export class VehicleTls {
  readonly #options: VehicleTlsOptions;
  readonly #peers = new Map<TLSSocket, Peer>();
  readonly #servers = new Set<Server>();
  readonly #files: TlsFileWatch;
  readonly #serials: RevokedSerials;
  #current: TlsFiles | undefined;
  /** By issuer: the serials that its lists revoke. */
  #listed: ReadonlyMap<string, readonly ReadonlySet<string>[]> = new Map();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: VehicleTlsOptions) {
    this.#options = options;
    const { database, onFailure, paths } = options;
    this.#serials = new RevokedSerials({
      database,
      onFailure,
      onAdded: () => {
        this.#endRefused();
        options.onRevoked?.();
      },
    });
    this.#files = new TlsFileWatch({ paths, onFailure, onChanged: (files) => this.#take(files) });
  }

  /** @throws BadSettings naming the file; DatabaseError */
  async start(): Promise<void> {
    this.#take(await this.#files.start());
    await this.#serials.start().catch(async (error: unknown) => {
      await this.#files.stop();
      throw error;
    });
    this.#timer = setInterval(() => this.#endRefused(), LOOK_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([this.#files.stop(), this.#serials.stop()]);
  }

  /** For `createServer`; call {@link follow} with the server. */
  get serverOptions(): TlsOptions {
    return {
      ...this.#secrets,
      requestCert: true,
      minVersion: 'TLSv1.2',
      // A resumed session would skip the check of its certificate.
      secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    };
  }

  /** The server takes the files as they are renewed, until it closes. */
  follow(server: Server): void {
    this.#servers.add(server);
    server.once('close', () => this.#servers.delete(server));
  }

  /**
   * The vehicle at the other end, whose connection from now on ends with its certificate.
   *
   * @throws CertificateRefused
   */
  vehicleAt(socket: TLSSocket): CertifiedVehicle {
    const known = this.#peers.get(socket);
    if (known) return known.vehicle;
    const chain = chainOf(socket);
    const [own] = chain;
    if (!own) throw new CertificateRefused('there is no client certificate');
    if (!socket.authorized) {
      throw new CertificateRefused(`the client certificate is refused: ${faultOf(socket)}`);
    }
    const systemId = vehicleNameIn(own);
    const peer = { vehicle: { systemId, serial: own.serial, notAfter: own.notAfter }, chain };
    const fault = this.#faultOf(peer);
    if (fault !== undefined) throw new CertificateRefused(`the client certificate ${fault}`);
    if (!socket.destroyed) {
      this.#peers.set(socket, peer);
      socket.once('close', () => this.#peers.delete(socket));
    }
    return peer.vehicle;
  }

  get #secrets(): TlsOptions {
    if (!this.#current) throw new Error('the TLS files are not read yet');
    const { cert, key, ca } = this.#current;
    return { cert, key, ca };
  }

  #take(files: TlsFiles): void {
    this.#current = files;
    const listed = new Map<string, ReadonlySet<string>[]>();
    for (const { issuer, serials } of files.lists) {
      const name = issuer.toString('hex');
      listed.set(name, [...(listed.get(name) ?? []), serials]);
    }
    this.#listed = listed;
    for (const server of this.#servers) {
      server.setSecureContext({ ...this.#secrets, ...withoutRequest(this.serverOptions) });
    }
    this.#endRefused();
  }

  /** Why the certificate is not good, or no longer; undefined: it is good. */
  #faultOf({ chain }: Peer): string | undefined {
    const now = this.#options.clock();
    const [own] = chain;
    if (own && own.notAfter < now) return 'has expired';
    if (own && own.notBefore > now) return 'is not valid yet';
    if (own && this.#serials.has(own.serial)) return 'is revoked';
    const isListed = chain.some(({ issuer, serial }) =>
      this.#listed.get(issuer.toString('hex'))?.some((serials) => serials.has(serial)),
    );
    if (isListed) return 'is revoked by a list of its issuer';
    return this.#isOfKnownAuthority(chain) ? undefined : 'is of an authority no longer accepted';
  }

  /** An authority may have been removed from the file while the connection was open. */
  #isOfKnownAuthority(chain: readonly Certificate[]): boolean {
    const authorities = this.#current?.authorities ?? [];
    return chain.some(({ issuer }) => authorities.some(({ subject }) => subject.equals(issuer)));
  }

  #endRefused(): void {
    for (const [socket, peer] of this.#peers) {
      const fault = this.#faultOf(peer);
      if (fault === undefined) continue;
      this.#peers.delete(socket);
      this.#options.onEnded?.(peer.vehicle.systemId, fault);
      socket.destroy();
    }
  }
}

/** What a listener itself keeps. */
function withoutRequest({ minVersion, secureOptions }: TlsOptions): TlsOptions {
  return { minVersion, secureOptions };
}

/** @throws CertificateRefused where one is no certificate that we can read */
function chainOf(socket: TLSSocket): Certificate[] {
  const chain: Certificate[] = [];
  let next = socket.getPeerX509Certificate();
  try {
    while (next && chain.length < LONGEST_CHAIN) {
      chain.push(readCertificate(next.raw));
      next = next.issuerCertificate;
    }
  } catch (error) {
    const { message } = error as Error;
    throw new CertificateRefused(`the client certificate cannot be read: ${message}`);
  }
  return chain;
}

const faultOf = ({ authorizationError }: TLSSocket): string =>
  (authorizationError as Error | string | undefined)?.toString() ?? 'unknown';
