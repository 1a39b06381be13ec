/** Work that is repeated, with pauses, until it is stopped. */
export class Work {
  readonly #stopping = new AbortController();
  #wake: () => void = () => undefined;
  #running: Promise<void> | undefined;

  /**
   * @param pauseMs between two rounds
   * @param round does the due work @returns whether more may be due at once
   */
  constructor(
    private readonly pauseMs: number,
    private readonly round: () => Promise<boolean>,
    private readonly onFailure: (error: Error) => void,
  ) {}

  /** Aborts when the work is stopped. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Does the next round now. */
  wake(): void {
    this.#wake();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.pauseMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      let isMore = false;
      try {
        isMore = await this.round();
      } catch (error) {
        this.onFailure(error as Error);
      }
      if (isMore) this.#wake();
      await woken;
    }
  }
}
