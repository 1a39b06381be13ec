/**
 * Slow or expensive requests: limits on how many of each kind may be in progress per token, and for all tokens
 * together. Requests beyond a limit are refused at once, because waiting requests would only add load.
 */
import { type Load } from '../../contract/index.js';

export interface LoadLimit {
  readonly perToken: number;
  readonly inAll: number;
}

export type LoadLimits = Readonly<Record<Load, LoadLimit>>;

export class Loads {
  readonly #limits: LoadLimits;
  readonly #inProgress = new Map<Load, Map<string, number>>();

  constructor(limits: LoadLimits) {
    this.#limits = limits;
  }

  /** @returns a function that ends the request's share; undefined if the limit is reached */
  begin(load: Load, tokenId: string): (() => void) | undefined {
    const { perToken, inAll } = this.#limits[load];
    const tokens = this.#inProgress.get(load) ?? new Map<string, number>();
    this.#inProgress.set(load, tokens);
    const own = tokens.get(tokenId) ?? 0;
    if (own >= perToken || sum(tokens) >= inAll) return undefined;
    tokens.set(tokenId, own + 1);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const left = (tokens.get(tokenId) ?? 1) - 1;
      if (left > 0) tokens.set(tokenId, left);
      else tokens.delete(tokenId);
    };
  }
}

/** Only tokens with requests in progress are in it. */
function sum(tokens: ReadonlyMap<string, number>): number {
  let all = 0;
  for (const number of tokens.values()) all += number;
  return all;
}
