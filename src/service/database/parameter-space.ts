/**
 * Memory for the parameters of statements that follow each other, used again for each. It lies outside V8's heap: parameters
 * that wait for a commit are then nothing that the garbage collector moves, and no new memory calls for a collection.
 */

/** Larger parameters get memory of their own, which does not stay. */
const LARGEST_KEPT_BYTES = 2 * 1024 * 1024;

export class ParameterSpace {
  #memory = Buffer.alloc(0);
  #used = 0;
  /** What all parameters since {@link clear} took. */
  #asked = 0;

  /** The parameters so far are not needed any more: what is written from now on overwrites them. */
  clear(): void {
    const wanted = Math.min(this.#asked, LARGEST_KEPT_BYTES);
    if (wanted > this.#memory.length) this.#memory = Buffer.allocUnsafeSlow(wanted);
    this.#used = 0;
    this.#asked = 0;
  }

  /** Valid until {@link clear}; its content is undefined. */
  allocate(bytes: number): Buffer {
    this.#asked += bytes;
    const end = this.#used + bytes;
    if (end > this.#memory.length) return Buffer.allocUnsafeSlow(bytes);
    const allocated = this.#memory.subarray(this.#used, end);
    this.#used = end;
    return allocated;
  }
}

/** Where the bytes of a parameter are written. */
export type Allocate = (bytes: number) => Buffer;

/** Memory of its own for each parameter. */
export const allocateEach: Allocate = (bytes) => Buffer.allocUnsafe(bytes);

/** A parameter of type text, in UTF-8. */
export function textParameter(text: string | null, allocate: Allocate): Buffer | null {
  if (text === null) return null;
  const buffer = allocate(Buffer.byteLength(text));
  buffer.write(text);
  return buffer;
}
