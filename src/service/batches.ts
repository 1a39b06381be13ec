/** How a flood becomes batches. */
export interface BatchLimits {
  /** Maximum number of items of one batch. */
  readonly most: number;
  /** Starts with each batch; the next one starts when both are over. */
  readonly pause?: () => Promise<unknown>;
}

/**
 * Combines many small pieces of work into few large ones: items that arrive during one batch go together into the next. A
 * single item does not wait; a flood makes large batches. Work on an item always starts after its request, so that an answer
 * is never older than its question.
 */
export class Batches<Item, Result> {
  readonly #work: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly #most: number;
  readonly #pause: (() => Promise<unknown>) | undefined;
  #pausing: Promise<unknown> | undefined;
  #waiting: Waiting<Item, Result>[] = [];
  #isBusy = false;

  /** @param work gives a result for each item, in their order */
  constructor(
    work: (items: readonly Item[]) => Promise<readonly Result[]>,
    { most, pause }: BatchLimits,
  ) {
    this.#work = work;
    this.#most = most;
    this.#pause = pause;
  }

  /** @throws errors of the batch's work */
  do(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#isBusy) return;
      this.#isBusy = true;
      // What arrived in the same turn of the event loop belongs together.
      setImmediate(() => void this.#run());
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#pausing;
      this.#pausing = this.#pause?.();
      const batch = this.#waiting.splice(0, this.#most);
      try {
        const results = await this.#work(batch.map(({ item }) => item));
        batch.forEach(({ resolve }, place) => resolve(results[place] as Result));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isBusy = false;
  }
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}
