/**
 * How many triggers each operation may send next: pure. Stride scheduling (Waldspurger and Weihl, 1995): each operation
 * has a pass that grows by the number of triggers it sends, divided by its weight; the lowest pass is next. Thus an
 * urgent operation overtakes a large one immediately, shares are exact over time however small the portions, and no
 * operation starves.
 */
import { type Bucket, nextTokenAt, refill } from './rate.js';

/** Stored between two portions. */
export interface SendBudget extends Bucket {
  readonly pass: number;
}

/** An operation with due triggers. */
export interface Contender {
  readonly operationId: number;
  readonly priority: number;
  /** Due triggers. */
  readonly due: number;
  /** Triggers per second; null: limited only by the group's rate. */
  readonly rate: number | null;
  /** null: it has not sent anything yet. */
  readonly budget: SendBudget | null;
}

export interface Portions {
  /** How many triggers each operation may send. */
  readonly shares: { readonly operationId: number; readonly triggers: number }[];
  /** The resulting budgets of the group and of each operation with due triggers. */
  readonly group: SendBudget;
  readonly budgets: (SendBudget & { readonly operationId: number })[];
  /** When the limits allow the next trigger, ms; undefined: no trigger is held back by a limit. */
  readonly nextAt: number | undefined;
}

/** Each step of priority doubles an operation's share. */
const weightOf = (priority: number) => 2 ** priority;

/** Triggers per turn at most: precise enough, and fast with many operations. */
const TURN = 10;

interface Runner {
  readonly contender: Contender;
  bucket: Bucket;
  pass: number;
  triggers: number;
}

/**
 * @param limit maximum number of triggers in total
 * @param group the global rate limit and its budget; its pass is where a new operation starts
 * @param now ms
 */
export function shareOut(
  limit: number,
  group: { readonly rate: number | null; readonly budget: SendBudget },
  contenders: readonly Contender[],
  now: number,
): Portions {
  const filled = (bucket: Bucket, rate: number | null) =>
    rate === null ? { tokens: Infinity, refilledAt: now } : refill(bucket, rate, now);
  const groupBucket = filled(group.budget, group.rate);
  const runners = contenders.map((contender): Runner => {
    const { budget, rate } = contender;
    // A new operation starts with one token, and level with the others instead of having saved up turns.
    const bucket = filled(budget ?? { tokens: 1, refilledAt: now }, rate);
    return { contender, bucket, pass: Math.max(budget?.pass ?? 0, group.budget.pass), triggers: 0 };
  });

  let left = Math.min(limit, Math.floor(groupBucket.tokens));
  const canSend = (runner: Runner) =>
    runner.triggers < runner.contender.due && runner.bucket.tokens >= 1;
  let pass = group.budget.pass;
  let running = runners.filter(canSend);
  while (left > 0 && running.length > 0) {
    const next = running.reduce((least, runner) => (runner.pass < least.pass ? runner : least));
    pass = next.pass;
    const { due, priority } = next.contender;
    const turn = Math.min(TURN, left, due - next.triggers, Math.floor(next.bucket.tokens));
    next.triggers += turn;
    next.pass += turn / weightOf(priority);
    next.bucket = { ...next.bucket, tokens: next.bucket.tokens - turn };
    left -= turn;
    if (!canSend(next)) running = running.filter(canSend);
  }

  const sent = runners.reduce((sum, { triggers }) => sum + triggers, 0);
  const groupAfter = { ...groupBucket, tokens: groupBucket.tokens - sent };
  return {
    shares: runners
      .filter(({ triggers }) => triggers > 0)
      .map(({ contender: { operationId }, triggers }) => ({ operationId, triggers })),
    group: { ...storable(groupAfter), pass },
    budgets: runners.map(({ contender: { operationId }, bucket, pass: own }) => ({
      operationId,
      ...storable(bucket),
      pass: own,
    })),
    nextAt: nextAllowed(group.rate, groupAfter, runners),
  };
}

/** The bucket of an operation without a limit is infinite, which cannot be stored and is not needed. */
const storable = ({ tokens, refilledAt }: Bucket): Bucket => ({
  tokens: Number.isFinite(tokens) ? tokens : 0,
  refilledAt,
});

function nextAllowed(
  groupRate: number | null,
  group: Bucket,
  runners: readonly Runner[],
): number | undefined {
  const heldBack = runners.filter(({ contender, triggers }) => triggers < contender.due);
  const times = heldBack.map(({ contender: { rate }, bucket }) => {
    const own = rate === null || bucket.tokens >= 1 ? -Infinity : nextTokenAt(bucket, rate);
    const all = groupRate === null || group.tokens >= 1 ? -Infinity : nextTokenAt(group, groupRate);
    return Math.max(own, all);
  });
  const earliest = Math.min(...times);
  return Number.isFinite(earliest) ? earliest : undefined;
}
