/** The OTA Adapter as the contract has it (section 4): the trigger API, and control where a token allows it. */
import { type CarOtaServerEvent } from '../../contract/index.js';

export interface AdapterSettings {
  /** e.g. `https://adapter.example` */
  readonly adapterUrl: string;
  /** Of role carota. */
  readonly adapterToken: string;
  /** Of role operator: pause and cancel reach the adapter then. */
  readonly adapterControlToken?: string | undefined;
}

export interface TriggerAnswer {
  readonly accepted: number;
  readonly rejectedCount: number;
  /** The first of them. */
  readonly rejected: readonly { readonly vin: string; readonly errorCode: string }[];
}

/** The adapter has refused; the same request would be refused again. */
export class AdapterRefused extends Error {
  override readonly name = 'AdapterRefused';
}

/** The adapter does not answer, or not yet. */
class AdapterUnavailable extends Error {
  override readonly name = 'AdapterUnavailable';
}

/** A million vehicles take a while. */
const TIMEOUT_MS = 120_000;

export class AdapterClient {
  readonly #settings: AdapterSettings;

  constructor(settings: AdapterSettings) {
    this.#settings = settings;
  }

  get mayControl(): boolean {
    return this.#settings.adapterControlToken !== undefined;
  }

  /** The same event again adds nothing. @throws AdapterRefused, AdapterUnavailable */
  async trigger(event: CarOtaServerEvent, signal: AbortSignal): Promise<TriggerAnswer> {
    const { adapterToken } = this.#settings;
    const answer = await this.#post('/v1.0/ota/trigger', adapterToken, event, signal);
    return (await answer.json()) as TriggerAnswer;
  }

  /** @throws AdapterRefused, AdapterUnavailable */
  async control(
    refId: string,
    action: 'pause' | 'resume' | 'cancel',
    reason: string,
    signal: AbortSignal,
  ): Promise<void> {
    const path = `/v1.0/ota/operations/${encodeURIComponent(refId)}/${action}`;
    await this.#post(path, this.#settings.adapterControlToken ?? '', { reason }, signal);
  }

  async #post(path: string, token: string, body: object, signal: AbortSignal): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(new URL(path, this.#settings.adapterUrl), {
        method: 'POST',
        headers: { 'authorization-token': token, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
    } catch (error) {
      const { cause, message } = error as Error;
      throw new AdapterUnavailable(cause instanceof Error ? cause.message : message);
    }
    if (response.ok) return response;
    const text = (await response.text()).slice(0, 1_000);
    const what = `the adapter answered ${response.status}: ${text}`;
    // A wrong token is mended by a person, and the schedule goes on then.
    const isFinal = [400, 404, 409, 410, 413, 415, 422].includes(response.status);
    throw isFinal ? new AdapterRefused(what) : new AdapterUnavailable(what);
  }
}
