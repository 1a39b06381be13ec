/**
 * The HTTP request in progress, as recorded in the audit log: routes state their action (contract), so every entry made
 * while serving a request has its address and subject, and a route that has recorded nothing is noticed.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface RequestFacts {
  readonly action: string;
  readonly tokenId: string;
  readonly tokenName: string;
  /** Where the caller is. */
  readonly address: string;
  readonly refId: string | null;
  readonly vin: string | null;
  /** '': nothing else. */
  readonly subject: string;
  /** '': none given. */
  readonly reason: string;
}

/** A request of a route with an audited action. */
export class AuditedRequest implements RequestFacts {
  readonly action: string;
  readonly tokenId: string;
  readonly tokenName: string;
  readonly address: string;
  readonly refId: string | null;
  readonly vin: string | null;
  readonly subject: string;
  readonly reason: string;
  #isRecorded = false;

  constructor(facts: RequestFacts) {
    this.action = facts.action;
    this.tokenId = facts.tokenId;
    this.tokenName = facts.tokenName;
    this.address = facts.address;
    this.refId = facts.refId;
    this.vin = facts.vin;
    this.subject = facts.subject;
    this.reason = facts.reason;
  }

  /** Whether an entry was written. */
  get isRecorded(): boolean {
    return this.#isRecorded;
  }

  recorded(): void {
    this.#isRecorded = true;
  }
}

const requests = new AsyncLocalStorage<AuditedRequest>();

/** Audited requests that are not over yet. */
let inProgress = 0;

/**
 * Attributes everything that `work` records to this request. While at least one request is tracked, Node.js tracks every
 * promise of the process, which slows down all others; therefore tracking stops when the last one is over.
 *
 * @param over resolves when nothing more will be recorded for the request
 */
export function whileServing<T>(
  request: AuditedRequest,
  work: () => Promise<T>,
  over: Promise<unknown>,
): Promise<T> {
  inProgress += 1;
  const working = requests.run(request, work);
  void Promise.allSettled([working, over]).then(() => {
    inProgress -= 1;
    if (inProgress === 0) requests.disable();
  });
  return working;
}

/** The request that is being served; undefined: none, or one whose route is not audited. */
export const currentRequest = (): AuditedRequest | undefined => requests.getStore();
