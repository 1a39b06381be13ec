/** The state given by a journal: the vehicle's updates and unsent messages. Pure. */
import { type EventStatusName } from '../../contract/index.js';
import { type OutgoingMessage } from '../outbox.js';
import { type ChangedFacts, type TakenTrigger, type UpdateFacts } from '../update/facts.js';
import { FIRST_PHASE, type Phase } from '../update/machine.js';
import { type JournalEntry } from './entry.js';

/** The state of an update. */
export interface UpdateRecord {
  readonly trigger: TakenTrigger;
  readonly phase: Phase;
  readonly facts: UpdateFacts;
}

/** Maximum number of remembered triggers of finished updates. */
const KNOWN_TRIGGERS = 200;
/** Maximum number of remembered operation results. */
const KNOWN_RESULTS = 200;

/**
 * The state given by the entries of a journal: acknowledgements, updates and unacknowledged messages.
 */
export class VehicleRecord {
  /** Unfinished updates, in the order of their triggers. */
  readonly updates = new Map<string, UpdateRecord>();
  /** The acknowledgement of each accepted trigger, by its `message_id`. */
  readonly acks = new Map<string, OutgoingMessage>();
  /** How the last update of each operation ended, by `ref-id`. */
  readonly results = new Map<string, EventStatusName>();
  /** Messages not yet acknowledged by the broker, in order, by `message_id`. */
  readonly waiting = new Map<string, OutgoingMessage>();
  /** Messages acknowledged by the broker, which may still lose them; in that order, with the time, ms. */
  readonly uncertain = new Map<
    string,
    { readonly message: OutgoingMessage; readonly at: number }
  >();
  /** Highest reading of the clock, ms. */
  lastTime = 0;

  /** Adds one entry. */
  apply(entry: JournalEntry): void {
    switch (entry.kind) {
      case 'trigger':
        this.acks.set(entry.trigger.messageId, entry.ack);
        if (entry.sendsAck) this.waiting.set(entry.ack.messageId, entry.ack);
        this.updates.set(entry.trigger.messageId, {
          trigger: entry.trigger,
          phase: FIRST_PHASE,
          facts: {},
        });
        return;
      case 'step':
        this.lastTime = Math.max(this.lastTime, entry.at);
        for (const message of entry.messages) this.waiting.set(message.messageId, message);
        this.#noteResult(this.updates.get(entry.update)?.trigger.refId, entry.result);
        this.#step(entry.update, entry.phase, entry.facts);
        return;
      case 'result':
        this.#noteResult(entry.refId, entry.result);
        return;
      case 'delivered':
        this.#delivered(entry.messageId, entry.at);
        return;
      case 'certain':
        this.#forgetDelivered(entry.before);
        return;
      case 'repeat':
        this.#forgetDelivered(entry.since);
        this.#repeat();
        return;
      case 'earlier':
        this.acks.set(entry.update, entry.ack);
        return;
      case 'clock':
        this.lastTime = Math.max(this.lastTime, entry.at);
        return;
      case 'waiting':
        this.waiting.set(entry.message.messageId, entry.message);
        return;
    }
  }

  /** The shortest journal that gives the same state. */
  *entries(): Generator<JournalEntry> {
    yield { kind: 'clock', at: this.lastTime };
    for (const [refId, result] of this.results) yield { kind: 'result', refId, result };
    for (const [update, ack] of this.acks) {
      const open = this.updates.get(update);
      if (!open) yield { kind: 'earlier', update, ack };
    }
    for (const [update, { trigger, phase, facts }] of this.updates) {
      const ack = this.acks.get(update);
      if (!ack) continue;
      yield { kind: 'trigger', trigger, ack, sendsAck: false };
      yield { kind: 'step', update, phase, facts, messages: [], at: this.lastTime };
    }
    for (const { message, at } of this.uncertain.values()) {
      yield { kind: 'waiting', message };
      yield { kind: 'delivered', messageId: message.messageId, at };
    }
    for (const message of this.waiting.values()) yield { kind: 'waiting', message };
  }

  #delivered(messageId: string, at: number): void {
    const message = this.waiting.get(messageId);
    if (!message) return;
    this.waiting.delete(messageId);
    this.uncertain.delete(messageId);
    this.uncertain.set(messageId, { message, at });
  }

  #forgetDelivered(before: number): void {
    for (const [messageId, { at }] of this.uncertain) {
      if (at < before) this.uncertain.delete(messageId);
    }
  }

  /** In order, before the messages already queued. */
  #repeat(): void {
    const later = [...this.waiting];
    this.waiting.clear();
    for (const [messageId, { message }] of this.uncertain) this.waiting.set(messageId, message);
    for (const [messageId, message] of later) this.waiting.set(messageId, message);
    this.uncertain.clear();
  }

  #step(id: string, phase: Phase | 'ended', facts: ChangedFacts): void {
    const update = this.updates.get(id);
    if (!update) return;
    if (phase === 'ended') {
      this.updates.delete(id);
      this.#forgetOldTriggers();
    } else {
      const merged = Object.entries({ ...update.facts, ...facts });
      const remaining = merged.filter(([, fact]) => fact !== null);
      this.updates.set(id, { ...update, phase, facts: Object.fromEntries(remaining) });
    }
  }

  #noteResult(refId: string | undefined, result: EventStatusName | undefined): void {
    if (refId === undefined || result === undefined) return;
    this.results.delete(refId);
    this.results.set(refId, result);
    for (const oldest of this.results.keys()) {
      if (this.results.size <= KNOWN_RESULTS) return;
      this.results.delete(oldest);
    }
  }

  #forgetOldTriggers(): void {
    for (const id of this.acks.keys()) {
      if (this.acks.size <= KNOWN_TRIGGERS) return;
      if (!this.updates.has(id)) this.acks.delete(id);
    }
  }
}
