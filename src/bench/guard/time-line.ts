/** What is still to happen, in virtual time: a binary heap. */
export class TimeLine<Event> {
  readonly #heap: { readonly at: number; readonly event: Event }[] = [];

  add(at: number, event: Event): void {
    const heap = this.#heap;
    let place = heap.push({ at, event }) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#at(parent) <= this.#at(place)) break;
      this.#swap(parent, place);
      place = parent;
    }
  }

  /** The earliest one. */
  take(): { readonly at: number; readonly event: Event } | undefined {
    const heap = this.#heap;
    if (heap.length === 0) return undefined;
    this.#swap(0, heap.length - 1);
    const first = heap.pop();
    let place = 0;
    for (;;) {
      const [left, right] = [2 * place + 1, 2 * place + 2];
      const earlier = this.#at(right) < this.#at(left) ? right : left;
      if (this.#at(earlier) >= this.#at(place)) break;
      this.#swap(earlier, place);
      place = earlier;
    }
    return first;
  }

  get next(): number {
    return this.#at(0);
  }

  #at = (place: number) => this.#heap[place]?.at ?? Infinity;

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (first && second) [this.#heap[a], this.#heap[b]] = [second, first];
  }
}
