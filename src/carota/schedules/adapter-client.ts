/** Client of the OTA Adapter (contract section 4): the trigger API, and the control routes if a token permits them. */
import {
  controlApi,
  deadLetterApi,
  operationApi,
  triggerApi,
  type TriggerResult,
} from '../../contract/adapter-api/index.js';
import {
  ApiError,
  type CarOtaServerEvent,
  Client,
  type ClientOptions,
  InvalidToken,
  NoAnswer,
} from '../../contract/index.js';
import { BadSettings, clientFault } from '../../service/bad-settings.js';

export interface AdapterSettings {
  /** e.g. `https://adapter.example` */
  readonly adapterUrl: string;
  /** Token of role carota; undefined: waves are not posted. */
  readonly adapterToken?: string | undefined;
  /** Token of role operator, required to pause and cancel operations. */
  readonly adapterControlToken?: string | undefined;
  /** Whether tokens may be sent over plain HTTP to another machine; see {@link Client}. */
  readonly allowPlainHttp?: boolean | undefined;
}

/** The adapter refused the request, and would refuse it again. */
export class AdapterRefused extends Error {
  override readonly name = 'AdapterRefused';
}

/** The adapter did not answer, or may accept the request later. */
class AdapterUnavailable extends Error {
  override readonly name = 'AdapterUnavailable';
}

/** Long enough for an operation of a million vehicles. */
const TIMEOUT_MS = 120_000;
const CONTROL_TIMEOUT_MS = 10_000;
/**
 * Statuses of a final refusal. 401 and 403 are not among them: the schedule continues once a person has corrected the token.
 * Neither is 404: a proxy, or an adapter that is still being set up, answers it too.
 */
const FINAL = new Set([400, 409, 410, 413, 415, 422]);
/** The operation sends no more triggers, so there is nothing left to control. */
const CLOSED: ReadonlySet<string> = new Set(['OPERATION_CANCELLED', 'OPERATION_ARCHIVED']);

export class AdapterClient {
  readonly #trigger: Client | undefined;
  readonly #control: Client | undefined;

  /**
   * @param fetch trusts the configured CAs; undefined: Node’s own
   * @throws BadSettings if a token is invalid or must not be sent to the address
   */
  constructor(
    { adapterToken, adapterControlToken, ...address }: AdapterSettings,
    fetch?: ClientOptions['fetch'],
  ) {
    this.#trigger =
      adapterToken === undefined
        ? undefined
        : clientOf(address, '--adapter-token', adapterToken, TIMEOUT_MS, fetch);
    this.#control =
      adapterControlToken === undefined
        ? undefined
        : clientOf(
            address,
            '--adapter-control-token',
            adapterControlToken,
            CONTROL_TIMEOUT_MS,
            fetch,
          );
  }

  get mayControl(): boolean {
    return this.#control !== undefined;
  }

  /** Idempotent. @throws AdapterRefused, AdapterUnavailable */
  async trigger(event: CarOtaServerEvent, signal: AbortSignal): Promise<TriggerResult> {
    if (!this.#trigger) throw new AdapterUnavailable('no token for the adapter is set');
    return withAdapterErrors(this.#trigger.call(triggerApi.trigger, { body: event }, signal));
  }

  /** Idempotent. A refusal may be temporary. @throws AdapterRefused, AdapterUnavailable */
  async control(
    refId: string,
    action: 'pause' | 'resume' | 'cancel',
    reason: string,
    signal: AbortSignal,
  ): Promise<void> {
    if (!this.#control)
      throw new AdapterRefused('no token with permission to control operations is set');
    const request = { params: { 'ref-id': refId }, body: { reason } };
    try {
      await this.#control.call(ROUTES[action], request, signal);
    } catch (error) {
      if (error instanceof ApiError && CLOSED.has(error.code)) return;
      throw error instanceof ApiError ? new AdapterRefused(answerOf(error)) : unavailable(error);
    }
  }

  /** @returns the number of the vehicle's newest attempt, from 1 @throws NoFurtherAttempt, AdapterRefused, AdapterUnavailable */
  async attemptOf(refId: string, vin: string, signal: AbortSignal): Promise<number> {
    const params = { 'ref-id': refId, vin };
    const { attempt } = await this.#attempting((control) =>
      control.call(operationApi.getOperationVehicle, { params }, signal),
    );
    return attempt;
  }

  /**
   * Starts a new attempt. Not idempotent: repeating the request starts another one. @throws NoFurtherAttempt,
   * AdapterRefused, AdapterUnavailable
   */
  async retrigger(refId: string, vin: string, reason: string, signal: AbortSignal): Promise<void> {
    const request = { params: { 'ref-id': refId, vin }, body: { reason } };
    await this.#attempting((control) => control.call(controlApi.retriggerVehicle, request, signal));
  }

  /**
   * @returns undefined: there are no dead letters, or the token does not permit the request @throws Error if the adapter
   * does not answer
   */
  async newestDeadLetter(
    signal: AbortSignal,
  ): Promise<{ readonly id: string; readonly at: number } | undefined> {
    if (!this.#control) return undefined;
    const query = { limit: 1 };
    const { items } = await this.#control.call(deadLetterApi.listDeadLetters, { query }, signal);
    const [newest] = items;
    return newest && { id: newest.id, at: Date.parse(newest['received-at']) };
  }

  async #attempting<T>(call: (control: Client) => Promise<T>): Promise<T> {
    if (!this.#control)
      throw new AdapterRefused('no token with permission to control operations is set');
    try {
      return await call(this.#control);
    } catch (error) {
      if (!(error instanceof ApiError)) throw unavailable(error);
      const what = answerOf(error);
      const isOver = CLOSED.has(error.code) || error.code === 'VEHICLE_NOT_IN_OPERATION';
      throw isOver ? new NoFurtherAttempt(what) : new AdapterRefused(what);
    }
  }
}

/** The vehicle has no further attempt in this operation. */
export class NoFurtherAttempt extends Error {
  override readonly name = 'NoFurtherAttempt';
}

function clientOf(
  { adapterUrl: url, allowPlainHttp }: AdapterSettings,
  tokenSetting: string,
  token: string,
  timeout: number,
  fetch: ClientOptions['fetch'],
): Client {
  try {
    return new Client({ url, token, allowPlainHttp, timeout, fetch });
  } catch (error) {
    const setting = error instanceof InvalidToken ? tokenSetting : '--adapter-url';
    throw new BadSettings(`${setting}: ${clientFault(error)}`);
  }
}

const ROUTES = {
  pause: controlApi.pauseOperation,
  resume: controlApi.resumeOperation,
  cancel: controlApi.cancelOperation,
} as const;

async function withAdapterErrors<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof ApiError)) throw unavailable(error);
    const what = answerOf(error);
    throw FINAL.has(error.status) ? new AdapterRefused(what) : new AdapterUnavailable(what);
  }
}

const unavailable = (error: unknown) =>
  error instanceof NoAnswer ? new AdapterUnavailable(error.message) : error;

function answerOf({ status, code, message, errors }: ApiError): string {
  const fields = errors.map((field) => `; ${field.path} ${field.message}`).join('');
  return `the adapter answered ${status} ${code}: ${message}${fields}`;
}
