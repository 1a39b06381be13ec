/**
 * Memory for the parameters of consecutive statements, reused for each. It lies outside V8's heap, so the garbage
 * collector does not move parameters that wait for a commit, and no new memory triggers a collection.
 */

/** Larger parameters get temporary memory of their own. */
const LARGEST_KEPT_BYTES = 2 * 1024 * 1024;

export class ParameterSpace {
  #memory = Buffer.alloc(0);
  #used = 0;
  /** Size of all parameters since {@link clear}, bytes. */
  #asked = 0;

  /** The parameters so far are no longer needed: later ones overwrite them. */
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

/** Provides memory for the bytes of a parameter. */
export type Allocate = (bytes: number) => Buffer;

/** New memory for each parameter. */
export const allocateEach: Allocate = (bytes) => Buffer.allocUnsafe(bytes);

/** A parameter of type text, in UTF-8. */
export function textParameter(text: string | null, allocate: Allocate): Buffer | null {
  if (text === null) return null;
  const buffer = allocate(Buffer.byteLength(text));
  buffer.write(text);
  return buffer;
}
