/** Asks the CarOTA Server for admission (contract section 10). */
import { Admission, scheduleVehicleApi } from '../../contract/carota-api/index.js';
import { ApiError, backoffPause, checkOf, Client, NoAnswer } from '../../contract/index.js';
import { type ClientTls } from '../client-tls.js';
import { tlsFetch } from '../tls-fetch.js';
import { type Admission as Asking, NotAdmitted } from '../update/index.js';

export interface CarotaAdmissionOptions {
  readonly url: string;
  /** Absent: the client certificate is enough. */
  readonly token?: string | undefined;
  readonly tls?: ClientTls | undefined;
  readonly vin: string;
  /** Pause after the first request without an answer, ms. */
  readonly pauseMs?: number | undefined;
}

const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 15 * 60_000;
const TIMEOUT_MS = 30_000;

export class CarotaAdmission implements Asking {
  readonly #options: CarotaAdmissionOptions;
  readonly #client: Client;
  #failures = 0;

  constructor(options: CarotaAdmissionOptions) {
    this.#options = options;
    const { url, token, tls } = options;
    // As for all other requests of the vehicle, the configured address decides whether plain HTTP is used.
    this.#client = new Client({
      url,
      token,
      allowPlainHttp: true,
      timeout: TIMEOUT_MS,
      fetch: tls && tlsFetch(tls),
    });
  }

  async ask(refId: string, signal: AbortSignal): Promise<number | undefined> {
    const params = { 'ref-id': refId, vin: this.#options.vin };
    try {
      const answer: unknown = await this.#client.call(
        scheduleVehicleApi.admitVehicle,
        { params },
        signal,
      );
      if (!admission.matches(answer)) return this.#pause();
      this.#failures = 0;
      return answer.admitted ? undefined : pauseOf(answer);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ApiError && FINAL.has(error.code)) {
        throw new NotAdmitted(error.message, { hasEnded: error.code === 'SCHEDULE_STATUS' });
      }
      if (error instanceof ApiError || error instanceof NoAnswer) return this.#pause();
      throw error;
    }
  }

  #pause(): number {
    this.#failures += 1;
    const firstPauseMs = this.#options.pauseMs ?? 1_000;
    const backoff = { firstPauseMs, longestPauseMs: LONGEST_PAUSE_MS };
    return backoffPause(backoff, this.#failures, Math.random());
  }
}

/** Errors of our CarOTA Server. Any other answer may come from a proxy or an attacker: the vehicle asks again. */
const FINAL: ReadonlySet<string> = new Set([
  'SCHEDULE_STATUS',
  'SCHEDULE_NOT_FOUND',
  'VEHICLE_NOT_FOUND',
]);

const admission = checkOf(Admission);

const pauseOf = ({ retryAfter }: Admission): number =>
  Math.min(Math.max((retryAfter ?? Infinity) * 1000, SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS);
