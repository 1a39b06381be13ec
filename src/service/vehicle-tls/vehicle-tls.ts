/**
 * TLS with client certificates, for listeners that vehicles connect to: determines the vehicle of a certificate, checks
 * its validity, also while the connection is open, and renews the server's own certificate without a restart.
 */
import { constants } from 'node:crypto';
import { type SecureContextOptions, type Server, type TlsOptions, type TLSSocket } from 'node:tls';
import { type Queryable } from '../database/index.js';
import { type Certificate, readCertificate } from '../../x509/index.js';
import { TLS_POLICY } from '../tls/policy.js';
import {
  type CertificatePath,
  certificatePaths,
  isAmong,
  LONGEST_CHAIN,
  nameKey,
  type PathStep,
} from './certificate-paths.js';
import { RevokedSerials } from './revoked-serials.js';
import { type TlsFilePaths, type TlsFiles, TlsFileWatch } from './tls-files.js';
import { CertificateRefused, vehicleNameIn } from './vehicle-name.js';

export interface VehicleTlsOptions {
  readonly paths: TlsFilePaths;
  readonly database: Queryable;
  /** The database's time, ms. */
  readonly clock: () => number;
  /** Called if a file or the revocations could not be read; the previous ones stay in force. */
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

/** Rights that a certificate grants: everything for its vehicle, or a first enrolment only. */
type CertificateKind = 'vehicle' | 'bootstrap';

interface Peer {
  readonly kind: CertificateKind;
  readonly vehicle: CertifiedVehicle;
  readonly own: Certificate;
  readonly paths: readonly CertificatePath[];
}

/** A resumed session would skip the check of its certificate. */
const VEHICLE_POLICY: SecureContextOptions = {
  ...TLS_POLICY,
  secureOptions: (TLS_POLICY.secureOptions ?? 0) | constants.SSL_OP_NO_TICKET,
};

/** Interval between checks for expired certificates on open connections, ms. */
const LOOK_MS = 1_000;

export class VehicleTls {
  readonly #options: VehicleTlsOptions;
  readonly #peers = new Map<TLSSocket, Peer>();
  /** The received chain: Node.js returns it only once. */
  readonly #sent = new WeakMap<TLSSocket, readonly Buffer[]>();
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
      ...VEHICLE_POLICY,
      requestCert: true,
    };
  }

  /** Supplies the server with renewed files until it closes. */
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
    const { kind, vehicle } = this.#peerAt(socket);
    if (kind !== 'vehicle') {
      throw new CertificateRefused('the client certificate is valid for a first enrolment only');
    }
    return vehicle;
  }

  /** The system_id in the certificate, if it is one for a first enrolment. @throws CertificateRefused */
  bootstrapAt(socket: TLSSocket): CertifiedVehicle | undefined {
    const { kind, vehicle } = this.#peerAt(socket);
    return kind === 'bootstrap' ? vehicle : undefined;
  }

  #peerAt(socket: TLSSocket): Peer {
    const cached = this.#peers.get(socket);
    if (cached) return cached;
    const sent = this.#sentBy(socket);
    if (sent.length === 0) throw new CertificateRefused('there is no client certificate');
    if (!socket.authorized) {
      throw new CertificateRefused(`the client certificate is refused: ${faultOf(socket)}`);
    }
    if (sent.length > LONGEST_CHAIN) {
      throw new CertificateRefused(`more than ${LONGEST_CHAIN} certificates were sent`);
    }
    const chain = readChain(sent);
    const [own] = chain;
    const systemId = vehicleNameIn(own);
    const vehicle = { systemId, serial: own.serial, notAfter: own.notAfter };
    const peer: Peer = { vehicle, own, ...this.#kindOf(chain) };
    const fault = this.#faultOf(peer);
    if (fault !== undefined) throw new CertificateRefused(`the client certificate ${fault}`);
    if (!socket.destroyed) {
      this.#peers.set(socket, peer);
      socket.once('close', () => this.#peers.delete(socket));
    }
    return peer;
  }

  #kindOf(chain: readonly Certificate[]): Pick<Peer, 'kind' | 'paths'> {
    const paths = certificatePaths(chain, this.#authoritiesOf('vehicle'));
    if (paths.length > 0) return { kind: 'vehicle', paths };
    const others = certificatePaths(chain, this.#authoritiesOf('bootstrap'));
    return others.length > 0 ? { kind: 'bootstrap', paths: others } : { kind: 'vehicle', paths };
  }

  #authoritiesOf(kind: CertificateKind): readonly Certificate[] {
    const files = this.#current;
    return (kind === 'vehicle' ? files?.authorities : files?.bootstrapAuthorities) ?? [];
  }

  /** Whether the peer has sent a certificate of any kind. */
  hasCertificate(socket: TLSSocket): boolean {
    return this.#sentBy(socket).length > 0;
  }

  /** In DER, the client's own first. */
  #sentBy(socket: TLSSocket): readonly Buffer[] {
    const cached = this.#sent.get(socket);
    if (cached) return cached;
    const sent: Buffer[] = [];
    let next = socket.getPeerX509Certificate();
    // One more than the maximum, so that an excess is noticed.
    while (next && sent.length <= LONGEST_CHAIN) {
      sent.push(next.raw);
      next = next.issuerCertificate;
    }
    this.#sent.set(socket, sent);
    return sent;
  }

  get #secrets(): TlsOptions {
    if (!this.#current) throw new Error('the TLS files have not been read yet');
    const { cert, key, ca } = this.#current;
    return { cert, key, ca };
  }

  #take(files: TlsFiles): void {
    this.#current = files;
    const listed = new Map<string, ReadonlySet<string>[]>();
    for (const { issuer, serials } of files.lists) {
      const name = nameKey(issuer);
      listed.set(name, [...(listed.get(name) ?? []), serials]);
    }
    this.#listed = listed;
    for (const server of this.#servers) {
      server.setSecureContext({ ...this.#secrets, ...VEHICLE_POLICY });
    }
    this.#endRefused();
  }

  /** Why the certificate is not, or no longer, valid; undefined: it is valid. */
  #faultOf({ own, paths, kind }: Peer): string | undefined {
    const now = this.#options.clock();
    if (own.notAfter < now) return 'has expired';
    if (own.notBefore > now) return 'is not valid yet';
    if (this.#serials.has(own.serial)) return 'is revoked';
    const current = paths.filter((path) => this.#isCurrent(path, kind, now));
    if (current.length === 0) return 'is from an authority that is no longer accepted';
    const isListed = current.every((path) => path.some((step) => this.#isListed(step)));
    return isListed ? 'is revoked by a list of its issuer' : undefined;
  }

  /** An authority may have been removed from the file while the connection was open. */
  #isCurrent(path: CertificatePath, kind: CertificateKind, now: number): boolean {
    const authorities = this.#authoritiesOf(kind);
    return path.every(
      ({ certificate, isSent }) =>
        certificate.notBefore <= now &&
        now <= certificate.notAfter &&
        (isSent || isAmong(authorities, certificate)),
    );
  }

  #isListed({ issuerKey, certificate: { serial } }: PathStep): boolean {
    return this.#listed.get(issuerKey)?.some((serials) => serials.has(serial)) ?? false;
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

/**
 * @param sent in DER, at least one
 * @throws CertificateRefused if the first certificate cannot be read; unreadable others are left out
 */
function readChain([first, ...others]: readonly Buffer[]): [Certificate, ...Certificate[]] {
  try {
    return [readCertificate(first ?? Buffer.of()), ...others.flatMap(readable)];
  } catch (error) {
    const { message } = error as Error;
    throw new CertificateRefused(`the client certificate cannot be read: ${message}`);
  }
}

function readable(bytes: Buffer): Certificate[] {
  try {
    return [readCertificate(bytes)];
  } catch {
    return [];
  }
}

const faultOf = ({ authorizationError }: TLSSocket): string =>
  (authorizationError as Error | string | undefined)?.toString() ?? 'unknown';
