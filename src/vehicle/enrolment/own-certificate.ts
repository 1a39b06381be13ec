/**
 * The vehicle manages its client certificate itself: enrols, and renews it after two thirds of its validity. The new pair is
 * on disk before the old one is deleted; then connections are re-established with it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffPause } from '../../contract/index.js';
import { type ClientTls } from '../client-tls.js';
import { type CertificateStore, type StoredCertificate } from './certificate-store.js';
import { EnrolmentRefused, type EstClient } from './est-client.js';

/** Dependencies and listeners of {@link OwnCertificate}. */
export interface OwnCertificateOptions {
  readonly store: CertificateStore;
  readonly client: EstClient;
  readonly tls: ClientTls;
  readonly systemId: string;
  /** ms */
  readonly clock: () => number;
  /** The new pair is stored and in use; also after the first enrolment. */
  readonly onRenewed?: (certificate: StoredCertificate) => void;
  /** It is retried. */
  readonly onFailure?: (error: Error) => void;
  /** Pause after the first failure, ms. */
  readonly pauseMs?: number | undefined;
}

const PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 60 * 60 * 1000;
/** Longest timer, ms: timers are limited to 24 days, and the clock may be set in between. */
const LONGEST_SLEEP_MS = 60 * 60 * 1000;

/** A new certificate is kept at least for this fraction of its remaining validity. */
const LEAST_PART = 0.1;

/** When to renew a certificate, ms. */
export const renewalTime = ({ notBefore, notAfter }: StoredCertificate): number =>
  notBefore + ((notAfter - notBefore) * 2) / 3;

/** Enrols and renews. */
export class OwnCertificate {
  readonly #options: OwnCertificateOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: OwnCertificateOptions) {
    this.#options = options;
    const stored = options.store.read();
    if (stored) options.tls.renew(stored);
  }

  /**
   * Enrols if there is no certificate yet, then renews it whenever it is due.
   *
   * @throws EnrolmentRefused if only a person can help; the signal's reason
   */
  async start(signal?: AbortSignal): Promise<void> {
    const { store } = this.#options;
    const signals = signal ? [signal, this.#stopping.signal] : [this.#stopping.signal];
    if (!store.read()) await this.#obtain(AbortSignal.any(signals));
    this.#running = this.#renewForever().catch(() => undefined);
  }

  /** Ends after the current request, whose result is discarded. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #renewForever(): Promise<void> {
    const { store, clock } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const stored = store.read();
      const wait = stored ? renewalTime(stored) - clock() : 0;
      if (wait > 0) {
        await sleep(Math.min(wait, LONGEST_SLEEP_MS), undefined, { signal });
        continue;
      }
      const { notAfter } = await this.#obtain(signal, { isPatient: true });
      // An authority may backdate its certificates so far that the next renewal is immediately due.
      const least = Math.max(0, notAfter - clock()) * LEAST_PART;
      await sleep(Math.min(least, LONGEST_SLEEP_MS), undefined, { signal });
    }
  }

  /** @param options.isPatient also retry after a refusal: a revocation, or a server's mistake, may be undone */
  async #obtain(signal: AbortSignal, { isPatient = false } = {}): Promise<StoredCertificate> {
    const { store, client, tls, systemId, onRenewed, onFailure, pauseMs } = this.#options;
    const backoff = { firstPauseMs: pauseMs ?? PAUSE_MS, longestPauseMs: LONGEST_PAUSE_MS };
    for (let failures = 1; ; failures++) {
      try {
        const der = await client.request(store.pendingKey(), signal);
        const stored = store.complete(der, systemId);
        tls.renew(stored);
        onRenewed?.(stored);
        return stored;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof EnrolmentRefused && !isPatient) throw error;
        onFailure?.(error as Error);
        await sleep(backoffPause(backoff, failures, Math.random()), undefined, { signal });
      }
    }
  }
}
