/**
 * Refused and failed attempts. They are written in the background, and repeating one thousands of times does not fill the
 * log: the first of a kind is written within a second, the number of repetitions follows once a minute.
 */
import { type ErrorCode } from '../../contract/index.js';
import { type Queryable } from '../database/index.js';
import { type AuditOutcome, recordActions } from './audit.js';
import { type RequestFacts } from './audited-request.js';
import { actorIn } from './record-request.js';

export interface RefusedAttempt extends RequestFacts {
  readonly outcome: Exclude<AuditOutcome, 'done'>;
  readonly errorCode: ErrorCode;
}

export interface AttemptLogOptions {
  readonly database: Queryable;
  /** The database's time, ms. */
  readonly clock: () => number;
  readonly onFailure: (error: Error) => void;
}

/** Attempts of one kind in a minute. */
interface Kind {
  readonly attempt: RefusedAttempt;
  readonly firstAt: number;
  lastAt: number;
  /** Not written yet. */
  count: number;
  /** A few of the names that were tried. */
  readonly names: Set<string>;
  isWritten: boolean;
}

const WRITE_MS = 1_000;
const MINUTE_MS = 60_000;
/** Distinct kinds in a minute; further ones are counted by action only. */
const MOST_KINDS = 1_000;
const MOST_NAMES = 10;
const MOST_TEXT = 256;

export class AttemptLog {
  readonly #options: AttemptLogOptions;
  #kinds = new Map<string, Kind>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: AttemptLogOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      void this.write().finally(() => this.#timer?.refresh());
    }, WRITE_MS).unref();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.write(true);
  }

  /** An attempt that was answered with an error. */
  note(attempt: RefusedAttempt): void {
    this.#count(attempt);
  }

  /** A wrong token, session or credential was presented. @param name presented with it, unverified */
  signInFailed(presented: {
    /** Kind of the attempt, e.g. `token`. */
    readonly kind: string;
    readonly address: string;
    readonly name?: string;
  }): void {
    const { kind, address, name } = presented;
    const attempt = {
      action: 'sign-in',
      tokenId: '',
      tokenName: '',
      address,
      refId: null,
      vin: null,
      subject: kind,
      reason: '',
      outcome: 'refused',
      errorCode: 'UNAUTHORIZED',
    } as const;
    this.#count(attempt, name);
  }

  #count(given: RefusedAttempt, name?: string): void {
    const attempt = storable(given);
    const now = this.#options.clock();
    const kind = this.#kinds.get(keyOf(attempt)) ?? this.#newKind(attempt, now);
    kind.count += 1;
    kind.lastAt = now;
    if (name !== undefined && kind.names.size < MOST_NAMES) kind.names.add(text(name));
  }

  #newKind(attempt: RefusedAttempt, now: number): Kind {
    const isNamed = this.#kinds.size < MOST_KINDS;
    const counted = isNamed ? attempt : { ...withoutSource(attempt) };
    const key = keyOf(counted);
    const existing = this.#kinds.get(key);
    if (existing) return existing;
    const kind = {
      attempt: counted,
      firstAt: now,
      lastAt: now,
      count: 0,
      names: new Set<string>(),
      isWritten: false,
    };
    this.#kinds.set(key, kind);
    return kind;
  }

  /** Writes due entries, and keeps those that fail for a retry. */
  write(isLast = false): Promise<void> {
    this.#writing = this.#writing
      .then(() => this.#write(isLast))
      .catch((error: unknown) => {
        this.#options.onFailure(error as Error);
      });
    return this.#writing;
  }

  async #write(isLast: boolean): Promise<void> {
    const now = this.#options.clock();
    // The minute also ends if the clock goes back.
    const isOver = ({ firstAt }: Kind) => Math.abs(now - firstAt) >= MINUTE_MS;
    for (const [key, kind] of [...this.#kinds]) {
      const { attempt, count, names } = kind;
      if (count > 0 && (!kind.isWritten || isOver(kind) || isLast)) {
        const detail = {
          ...(count > 1 ? { count, lastAt: new Date(kind.lastAt).toISOString() } : {}),
          ...(names.size > 0 ? { names: [...names] } : {}),
        };
        const entry = {
          by: actorIn(attempt),
          vin: attempt.vin,
          detail,
          refId: attempt.refId ?? undefined,
          subject: attempt.subject,
          address: attempt.address,
          outcome: attempt.outcome,
          errorCode: attempt.errorCode,
        };
        await recordActions(this.#options.database, attempt.action, [entry], now);
        kind.count -= count;
        kind.names.clear();
        kind.isWritten = true;
      }
      if (isOver(kind) && kind.count === 0) this.#kinds.delete(key);
    }
  }
}

const keyOf = ({ action, tokenId, address, refId, vin, subject, errorCode }: RefusedAttempt) =>
  JSON.stringify([action, tokenId, address, refId, vin, subject, errorCode]);

const withoutSource = ({ action, outcome, errorCode }: RefusedAttempt): RefusedAttempt => ({
  action,
  outcome,
  errorCode,
  tokenId: '',
  tokenName: 'several',
  address: '',
  refId: null,
  vin: null,
  subject: '',
  reason: '',
});

/** Text from a stranger may be anything. */
const storable = (attempt: RefusedAttempt): RefusedAttempt => ({
  ...attempt,
  address: text(attempt.address),
  refId: attempt.refId === null ? null : text(attempt.refId),
  vin: attempt.vin === null ? null : text(attempt.vin),
  subject: text(attempt.subject),
  reason: text(attempt.reason),
});

const text = (given: string) => given.slice(0, MOST_TEXT).toWellFormed().replaceAll('\0', '\uFFFD');
