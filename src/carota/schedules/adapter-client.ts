/** The OTA Adapter as the contract has it (section 4): the trigger API, and control where a token allows it. */
import { controlApi, triggerApi, type TriggerResult } from '../../contract/adapter-api/index.js';
import { ApiError, type CarOtaServerEvent, Client, NoAnswer } from '../../contract/index.js';
import { BadSettings } from '../../service/bad-settings.js';

export interface AdapterSettings {
  /** e.g. `https://adapter.example` */
  readonly adapterUrl: string;
  /** Of role carota; undefined: waves wait. */
  readonly adapterToken?: string | undefined;
  /** Of role operator: pause and cancel reach the adapter then. */
  readonly adapterControlToken?: string | undefined;
  /** Whether tokens may go over plain HTTP to another machine; see {@link Client}. */
  readonly allowPlainHttp?: boolean | undefined;
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
/** Of 401 and 403 a person puts the token right, and the schedule goes on then. */
const FINAL = new Set([400, 404, 409, 410, 413, 415, 422]);

export class AdapterClient {
  readonly #trigger: Client | undefined;
  readonly #control: Client | undefined;

  /** @throws BadSettings where no token may be sent to the address */
  constructor({ adapterToken, adapterControlToken, ...address }: AdapterSettings) {
    this.#trigger = adapterToken === undefined ? undefined : clientOf(address, adapterToken);
    this.#control =
      adapterControlToken === undefined ? undefined : clientOf(address, adapterControlToken);
  }

  get mayControl(): boolean {
    return this.#control !== undefined;
  }

  /** The same event again adds nothing. @throws AdapterRefused, AdapterUnavailable */
  async trigger(event: CarOtaServerEvent, signal: AbortSignal): Promise<TriggerResult> {
    if (!this.#trigger) throw new AdapterUnavailable('there is no token for the adapter');
    return finalOrNot(this.#trigger.call(triggerApi.trigger, { body: event }, signal));
  }

  /** @throws AdapterRefused, AdapterUnavailable */
  async control(
    refId: string,
    action: 'pause' | 'resume' | 'cancel',
    reason: string,
    signal: AbortSignal,
  ): Promise<void> {
    if (!this.#control) throw new AdapterRefused('there is no token that may control operations');
    const request = { params: { 'ref-id': refId }, body: { reason } };
    await finalOrNot<unknown>(this.#control.call(ROUTES[action], request, signal));
  }
}

function clientOf({ adapterUrl: url, allowPlainHttp }: AdapterSettings, token: string): Client {
  try {
    return new Client({ url, token, allowPlainHttp, timeout: TIMEOUT_MS });
  } catch (error) {
    throw new BadSettings(`--adapter-url: ${(error as Error).message} (see --allow-plain-http)`);
  }
}

const ROUTES = {
  pause: controlApi.pauseOperation,
  resume: controlApi.resumeOperation,
  cancel: controlApi.cancelOperation,
} as const;

async function finalOrNot<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ApiError) {
      const { status, code, message, errors } = error;
      const fields = errors.map((field) => `; ${field.path} ${field.message}`).join('');
      const what = `the adapter answered ${status} ${code}: ${message}${fields}`;
      throw FINAL.has(status) ? new AdapterRefused(what) : new AdapterUnavailable(what);
    }
    if (error instanceof NoAnswer) throw new AdapterUnavailable(error.message);
    throw error;
  }
}
