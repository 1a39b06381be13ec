/** Asks the CarOTA Server for admission (contract section 10). */
import { scheduleVehicleApi } from '../../contract/carota-api/index.js';
import { ApiError, backoffPause, Client, NoAnswer } from '../../contract/index.js';
import { type Admission, NotAdmitted } from '../update/index.js';

export interface CarotaAdmissionOptions {
  readonly url: string;
  readonly token: string;
  readonly vin: string;
  /** Pause after the first request without an answer, ms. */
  readonly pauseMs?: number | undefined;
}

const LONGEST_PAUSE_MS = 15 * 60_000;
const TIMEOUT_MS = 30_000;

export class CarotaAdmission implements Admission {
  readonly #options: CarotaAdmissionOptions;
  readonly #client: Client;
  #failures = 0;

  constructor(options: CarotaAdmissionOptions) {
    this.#options = options;
    const { url, token } = options;
    // As for all other requests of the vehicle, whoever gives it the address decides about plain HTTP.
    this.#client = new Client({ url, token, allowPlainHttp: true, timeout: TIMEOUT_MS });
  }

  async ask(refId: string, signal: AbortSignal): Promise<number | undefined> {
    const params = { 'ref-id': refId, vin: this.#options.vin };
    try {
      const answer = await this.#client.call(scheduleVehicleApi.admitVehicle, { params }, signal);
      this.#failures = 0;
      if (answer.admitted) return undefined;
      return answer.retryAfter === null ? LONGEST_PAUSE_MS : answer.retryAfter * 1000;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof NoAnswer || (error instanceof ApiError && isPassing(error))) {
        return this.#pause();
      }
      if (!(error instanceof ApiError)) throw error;
      throw new NotAdmitted(error.message, { hasEnded: error.code === 'SCHEDULE_STATUS' });
    }
  }

  #pause(): number {
    this.#failures += 1;
    const firstPauseMs = this.#options.pauseMs ?? 1_000;
    const backoff = { firstPauseMs, longestPauseMs: LONGEST_PAUSE_MS };
    return backoffPause(backoff, this.#failures, Math.random());
  }
}

const isPassing = ({ status }: ApiError) => status >= 500 || status === 429 || status === 408;
