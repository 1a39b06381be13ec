/** Takes an update through the phases of the machine, starting from the journal's state. */
import { type EventStatusName, type MetaField } from '../../contract/index.js';
import { type OtaManager, type RunningUpdate } from '../ota-manager.js';
import { type VehicleClock } from '../vehicle-clock.js';
import { type Equipment } from './equipment.js';
import { type TakenTrigger } from './facts.js';
import { MACHINE, outcomeOf, type Phase } from './machine.js';
import { Pause } from './pause.js';
import { because, DEFAULT_PACE, type Pace, type WorkResult } from './phase-context.js';
import { WORK } from './phases/index.js';

/** Dependencies of an {@link UpdateRunner}. */
export interface UpdateRunnerOptions {
  readonly equipment: Equipment;
  /** Model of the vehicle; scripts for other models are rejected. */
  readonly model: string;
  readonly clock: VehicleClock;
  readonly pace?: Partial<Pace>;
  /** Called with each unexpected error; the update takes the outcome defined by the machine. */
  readonly onSurprise?: (phase: Phase, error: Error) => void;
  /** Called with each outcome. */
  readonly onOutcome?: (phase: Phase, outcome: string) => void;
}

/** Facts that belong to one phase and end with it. */
const OF_ONE_PHASE = { since: null, restartedFrom: null };

/** The OTA manager: takes an update through the phases of {@link MACHINE}, using its equipment and obeying the user. */
export class UpdateRunner implements OtaManager {
  readonly #options: UpdateRunnerOptions;
  #current: { readonly update: RunningUpdate; cancelling: AbortController } | undefined;
  #pause = new Pause();
  /** The newest trigger queued behind the update. */
  #waiting: TakenTrigger | undefined;
  #looking: Promise<void> | undefined;

  constructor(options: UpdateRunnerOptions) {
    this.#options = options;
  }

  async run(update: RunningUpdate): Promise<void> {
    const cancelling = new AbortController();
    this.#current = { update, cancelling };
    this.#pause = new Pause();
    if (update.facts.paused) this.#pause.begin();
    // Remains of the previous update, if the power was cut at its end.
    if (update.phase === 'fetching') await this.#clear('fetching');
    try {
      while (update.phase !== 'ended' && !update.stopping.aborted) {
        await this.#goThrough(update, update.phase, cancelling.signal);
      }
    } finally {
      this.#current = undefined;
    }
  }

  /**
   * Another trigger is queued. If its script is now ordered in place of the current update, the latter is cancelled, if
   * still possible: an urgent update does not wait for a slow download or an unanswered question.
   */
  another(trigger: TakenTrigger): void {
    if (!this.#options.equipment.scripts.isOrdered) return;
    this.#waiting = trigger;
    this.#lookForAnother();
  }

  /** The current update and its phase; undefined if there is none. */
  get current(): Pick<RunningUpdate, 'trigger' | 'phase' | 'facts'> | undefined {
    return this.#current?.update;
  }

  /** @returns false if there is no update, it is too late, or it is already paused */
  pause(): boolean {
    const update = this.#revocable();
    if (!update || update.facts.paused) return false;
    update.step(update.phase, { paused: true }, [{ status: 'pause' }]);
    this.#pause.begin();
    return true;
  }

  /** @returns false if nothing is paused */
  resume(): boolean {
    const update = this.#current?.update;
    if (!update?.facts.paused) return false;
    update.step(update.phase, { paused: null }, [{ status: 'resume' }]);
    this.#pause.end();
    return true;
  }

  /** @returns false if there is no update, or it is too late: the new software is being started */
  cancel(reason = 'cancelled by the user'): boolean {
    if (!this.#revocable()) return false;
    this.#current?.cancelling.abort(new Cancelled(reason));
    return true;
  }

  #lookForAnother(): void {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
  }

  async #look(): Promise<void> {
    for (let trigger = this.#waiting; trigger; trigger = this.#waiting) {
      const current = this.#current;
      const update = this.#revocable();
      // While an update fetches its own order, there is nothing to compare with; this is called again afterwards.
      if (!current || !update || update.phase === 'fetching') return;
      this.#waiting = undefined;
      if (trigger.scriptRefId === update.trigger.scriptRefId) continue;
      const isOrdered = await this.#isOrdered(trigger, update);
      if (isOrdered && this.#current === current) {
        this.cancel(`'${trigger.refId}' is ordered in its place`);
      }
    }
  }

  async #isOrdered({ scriptRefId }: TakenTrigger, { phase, stopping }: RunningUpdate) {
    try {
      return await this.#options.equipment.scripts.isOrdered?.(scriptRefId, stopping);
    } catch (error) {
      // The current update continues; the trigger waits for its turn.
      if (phase !== 'ended' && !stopping.aborted) this.#options.onSurprise?.(phase, error as Error);
      return false;
    }
  }

  #revocable(): RunningUpdate | undefined {
    const update = this.#current?.update;
    return update && update.phase !== 'ended' && MACHINE[update.phase].revocable
      ? update
      : undefined;
  }

  async #goThrough(update: RunningUpdate, phase: Phase, cancelled: AbortSignal): Promise<void> {
    const { revocable } = MACHINE[phase];
    const signal = revocable ? AbortSignal.any([update.stopping, cancelled]) : update.stopping;
    const { result, surprise } = await this.#work(update, phase, signal);
    if (update.stopping.aborted) return;
    if (surprise) this.#options.onSurprise?.(phase, surprise);
    this.#advance(update, phase, result);
    if (outcomeOf(phase, result.outcome).next === 'ended') await this.#clear(phase);
    else this.#lookForAnother();
  }

  async #work(
    update: RunningUpdate,
    phase: Phase,
    signal: AbortSignal,
  ): Promise<{ result: WorkResult; surprise?: Error }> {
    const { equipment, model, clock, pace } = this.#options;
    try {
      signal.throwIfAborted();
      if (MACHINE[phase].revocable) await this.#pause.over(signal);
      const result = await WORK[phase]({
        update,
        equipment,
        model,
        pace: { ...DEFAULT_PACE, ...pace },
        now: () => clock.now(),
        signal,
        unpaused: () => this.#pause.over(signal),
        pausing: () => this.#pause.beginning,
      });
      // Cancelled just as the work completed: the user's choice prevails.
      return { result: wasCancelled(signal) ?? result };
    } catch (error) {
      const cancelled = wasCancelled(signal);
      if (cancelled) return { result: cancelled };
      const surprise = error as Error;
      const outcome = MACHINE[phase].otherwise;
      const { message } = surprise;
      return { result: { outcome, facts: { reason: message }, meta: because(message) }, surprise };
    }
  }

  async #clear(phase: Phase): Promise<void> {
    await this.#options.equipment.downloads
      .clear()
      .catch((error: unknown) => this.#options.onSurprise?.(phase, error as Error));
  }

  #advance(update: RunningUpdate, phase: Phase, result: WorkResult): void {
    const { reports, next } = outcomeOf(phase, result.outcome);
    const events = reports.map((status, place) =>
      eventOf(status, place === reports.length - 1, result.meta),
    );
    this.#options.onOutcome?.(phase, result.outcome);
    update.step(next, { ...OF_ONE_PHASE, ...result.facts }, events);
  }
}

class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

function wasCancelled({ reason }: AbortSignal): WorkResult | undefined {
  return reason instanceof Cancelled
    ? { outcome: 'cancelled', meta: because(reason.message) }
    : undefined;
}

const eventOf = (
  status: EventStatusName,
  isLast: boolean,
  meta: readonly MetaField[] | undefined,
) => ({ status, ...(isLast && meta ? { meta } : {}) });
