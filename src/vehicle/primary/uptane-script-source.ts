/** Update scripts ordered by the Director: a trigger only starts a cycle, and none of its content is trusted. */
import { setTimeout as sleep } from 'node:timers/promises';
import { backoffPause } from '../../contract/index.js';
import { Refusal } from '../../uptane/refusal.js';
import { type UpdateScript, validateScript } from '../../update-script/index.js';
import { EcuUnreachable } from '../secondary/link/secondary-link.js';
import { EcuRefused } from '../secondary/secondary.js';
import {
  NotOrdered,
  type ScriptSource,
  SourceUnreachable,
  UpdateRefused,
  type VerifiedUpdate,
} from '../update/equipment.js';
import { TryLater } from './director-requests.js';
import { compareWithScript, type SerialOf } from './order.js';
import { type Primary, type VerifiedOrder } from './primary.js';

export interface UptaneScriptSourceOptions {
  readonly primary: Primary;
  readonly serialOf: SerialOf;
  /** Maximum number of cycles. */
  readonly attempts?: number | undefined;
  /** Pause before the second cycle, ms; doubled before each further one. */
  readonly pauseMs?: number | undefined;
}

const ATTEMPTS = 8;
const PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

export class UptaneScriptSource implements ScriptSource {
  readonly #options: UptaneScriptSourceOptions;
  /** Scripts received since the process started. */
  readonly #given = new Set<string>();

  constructor(options: UptaneScriptSourceOptions) {
    this.#options = options;
  }

  fetch(scriptRefId: string, signal: AbortSignal): Promise<VerifiedUpdate> {
    const { primary } = this.#options;
    return this.#retried(signal, async () => {
      const order = await primary.cycle(signal);
      this.#checkOrdered(order, scriptRefId);
      try {
        return await this.#fetchOrdered(order);
      } catch (error) {
        if (error instanceof Refusal) primary.detected(error);
        throw error;
      }
    });
  }

  /** @throws NotOrdered, OrderedBefore */
  #checkOrdered(
    order: VerifiedOrder | undefined,
    scriptRefId: string,
  ): asserts order is VerifiedOrder {
    if (order === undefined) {
      throw new NotOrdered('the Director orders nothing for this vehicle now');
    }
    if (order.scriptRefId === scriptRefId) return;
    const fault = `the Director orders the script '${order.scriptRefId}', not '${scriptRefId}'`;
    const wasGiven =
      this.#given.has(order.scriptRefId) || this.#options.primary.hasExecuted(order.scriptRefId);
    throw wasGiven ? new OrderedBefore(fault) : new NotOrdered(fault);
  }

  async isOrdered(scriptRefId: string, signal: AbortSignal): Promise<boolean> {
    const order = await this.#options.primary.look(signal);
    return order?.scriptRefId === scriptRefId;
  }

  recordExecution(scriptRefId: string): void {
    this.#options.primary.recordExecution(scriptRefId);
  }

  async #fetchOrdered(order: VerifiedOrder): Promise<VerifiedUpdate> {
    const { primary, serialOf } = this.#options;
    const script = scriptIn(await primary.fetchScript(order), order.scriptRefId);
    try {
      const images = compareWithScript(order, script, serialOf, order.installed);
      this.#given.add(order.scriptRefId);
      return { script, images };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      primary.detected(error);
      throw refused(error, true);
    }
  }

  async #retried<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const { attempts = ATTEMPTS, pauseMs = PAUSE_MS } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        signal.throwIfAborted();
        if (!mayPass(error) || attempt >= attempts) throw asOutcome(error as Error);
        const backoff = { firstPauseMs: pauseMs, longestPauseMs: LONGEST_PAUSE_MS };
        await sleep(backoffPause(backoff, attempt, Math.random()), undefined, { signal });
      }
    }
  }
}

/** The Director orders a finished update again, because the events that report it are still in flight. */
class OrderedBefore extends NotOrdered {}

/** @throws UpdateRefused */
function scriptIn(bytes: Uint8Array, scriptRefId: string): UpdateScript {
  const bad = (fault: string) =>
    new UpdateRefused(`the update script ${fault}`, { hasScript: true });
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw bad(`is not JSON: ${(error as Error).message}`);
  }
  const script = validateScript(value);
  if (!('ecus' in script)) {
    const [fault] = script;
    throw bad(`is not valid: ${fault?.path ?? ''} ${fault?.message ?? ''}`);
  }
  if (script['script-ref-id'] !== scriptRefId) {
    throw bad(`calls itself '${script['script-ref-id']}', not '${scriptRefId}'`);
  }
  return script;
}

/** The connection may recover, and the Director may receive the latest events. */
const mayPass = (error: unknown): boolean =>
  error instanceof TryLater ||
  error instanceof EcuUnreachable ||
  error instanceof OrderedBefore ||
  (error instanceof Refusal && (error.code === 'network' || error.code === 'slow'));

function asOutcome(error: Error): Error {
  if (error instanceof TryLater || error instanceof EcuUnreachable) {
    return new SourceUnreachable(error.message);
  }
  if (error instanceof EcuRefused) {
    return new UpdateRefused(`an ECU refuses it: ${error.message}`, { attack: error.attack });
  }
  if (!(error instanceof Refusal) || error.code === 'storage') return error;
  return error.code === 'network' ? new SourceUnreachable(error.message) : refused(error, false);
}

const refused = ({ message, attack }: Refusal, hasScript: boolean) =>
  new UpdateRefused(message, { hasScript, attack });
