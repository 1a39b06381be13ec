/** Enrolment of vehicles: issues certificates to whoever has shown who it is, and publishes what is revoked of them. */
import { type Queryable } from '../../service/database/index.js';
import { readCertificate } from '../../x509/index.js';
import { type CertificateAuthority, type CheckedRequest } from './authority.js';
import { listRevocations, recordIssued } from './issued.js';

export interface EnrolmentOptions {
  readonly database: Queryable;
  readonly authority: CertificateAuthority;
  /** ms */
  readonly clock: () => number;
  /** The list of revoked certificates could not be published; it is tried again. */
  readonly onFailure: (error: Error) => void;
}

/** A list is good for a week, and made anew in time, ms. */
const PUBLISH_MS = 24 * 60 * 60 * 1000;
const RETRY_MS = 2_000;

export class Enrolment {
  readonly #options: EnrolmentOptions;
  #timer: NodeJS.Timeout | undefined;
  #publishing: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: EnrolmentOptions) {
    this.#options = options;
  }

  get chain(): readonly Uint8Array[] {
    return this.#options.authority.chain;
  }

  /** @returns the certificate, in DER @throws AuthorityUnavailable, DatabaseError */
  async issue(request: CheckedRequest): Promise<Uint8Array> {
    const { authority, database, clock } = this.#options;
    const bytes = await authority.issue(request);
    const { serial, notAfter } = readCertificate(bytes);
    // Nobody is given a certificate that could not be found again.
    const issued = { serial, systemId: request.systemId, at: clock(), until: notAfter };
    await recordIssued(database, issued);
    return bytes;
  }

  /** Publishes what is revoked, soon and again each day, one list after the other. */
  publish(): void {
    clearTimeout(this.#timer);
    this.#publishing = this.#publishing.then(() => this.#publishNow());
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#publishing;
  }

  async #publishNow(): Promise<void> {
    const { authority, database, clock, onFailure } = this.#options;
    if (this.#isStopped || !authority.publishRevoked) return;
    let again = PUBLISH_MS;
    try {
      await authority.publishRevoked(await listRevocations(database, clock()));
    } catch (error) {
      onFailure(error as Error);
      again = RETRY_MS;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.publish(), again).unref();
  }
}
