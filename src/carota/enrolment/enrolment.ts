/** Enrolment of vehicles: issues certificates to vehicles that have proved their identity, and publishes revocations. */
import { type Actor, recordActions } from '../../service/audit/index.js';
import { type Database } from '../../service/database/index.js';
import { readCertificate } from '../../x509/index.js';
import { type CertificateAuthority, type CheckedRequest } from './authority.js';
import { checkHolder, listRevocations, recordIssued } from './issued.js';

export interface EnrolmentOptions {
  readonly database: Database;
  readonly authority: CertificateAuthority;
  /** ms */
  readonly clock: () => number;
  /** The list of revoked certificates could not be published; it is retried. */
  readonly onFailure: (error: Error) => void;
}

/** The requester of a certificate, as named in the audit log. */
export interface Requester {
  /** The vehicle that it has proved to be. */
  readonly vin: string;
  /** Its name is the system_id; its id identifies the proof. */
  readonly by: Actor;
  readonly address: string;
}

/** A revocation list is valid for a week and renewed before it expires, ms. */
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

  /** @returns the certificate, in DER @throws HolderRefused, AuthorityUnavailable, DatabaseError */
  async issue(request: CheckedRequest, { vin, by, address }: Requester): Promise<Uint8Array> {
    const { authority, database, clock } = this.#options;
    const { systemId } = request;
    const holder = { vin, systemId };
    // Check first, so that the authority is not called in vain, and not while rows are locked.
    await checkHolder(database, holder, clock());
    const bytes = await authority.issue(request);
    const { serial, notAfter } = readCertificate(bytes);
    // A certificate is handed out only after it was stored, so that it can be revoked.
    await database.transaction(async (tx) => {
      const now = clock();
      await checkHolder(tx, holder, now, 'for update');
      await recordIssued(tx, { serial, systemId, at: now, until: notAfter });
      const detail = { system_id: systemId, expiresAt: new Date(notAfter).toISOString() };
      const entry = { vin, by, address, subject: serial, detail };
      await recordActions(tx, 'issue-certificate', [entry], now);
    });
    return bytes;
  }

  /** Publishes revocations soon and again every day, one list after the other. */
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
