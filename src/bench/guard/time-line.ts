/** Pending events in virtual time: a binary heap in typed arrays, for hundreds of thousands of events per run. */
export class TimeLine {
  #times = new Float64Array(1024);
  #events = new Int32Array(1024);
  #size = 0;

  /** @param event any 32-bit integer */
  add(at: number, event: number): void {
    if (this.#size === this.#times.length) this.#grow();
    const [times, events] = [this.#times, this.#events];
    let place = this.#size;
    this.#size += 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#at(parent) <= at) break;
      times[place] = this.#at(parent);
      events[place] = events[parent] ?? 0;
      place = parent;
    }
    times[place] = at;
    events[place] = event;
  }

  /** When the earliest event happens; Infinity: none is left. */
  get next(): number {
    return this.#at(0);
  }

  /** Takes the earliest event out. */
  take(): number {
    const [times, events] = [this.#times, this.#events];
    const first = events[0] ?? 0;
    this.#size -= 1;
    const at = times[this.#size] ?? 0;
    const event = events[this.#size] ?? 0;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#size) break;
      if (this.#at(child + 1) < this.#at(child)) child += 1;
      if (this.#at(child) >= at) break;
      times[place] = this.#at(child);
      events[place] = events[child] ?? 0;
      place = child;
    }
    times[place] = at;
    events[place] = event;
    return first;
  }

  #at(place: number): number {
    return place < this.#size ? (this.#times[place] ?? Infinity) : Infinity;
  }

  #grow(): void {
    const [times, events] = [this.#times, this.#events];
    this.#times = new Float64Array(2 * times.length);
    this.#times.set(times);
    this.#events = new Int32Array(2 * events.length);
    this.#events.set(events);
  }
}
