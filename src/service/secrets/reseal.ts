/** Seals secrets again that were sealed with an earlier key, with the first one, so that the earlier key can go. */
import { CannotOpen, type SecretBox } from './secret-box.js';

export interface Resealed {
  /** Owners whose secrets were encrypted again. */
  readonly sealed: number;
  /** Names of owners with a secret that no key decrypts: they need a new one. */
  readonly closed: readonly string[];
}

/** @returns the same text if it is already encrypted with the first key @throws CannotOpen */
export const resealed = (box: SecretBox, stored: string, owner: string): string =>
  box.isCurrent(stored) ? stored : box.seal(box.open(stored, owner), owner);

/** A secret that cannot be decrypted does not stop the others. @param reseal returns whether the secret was encrypted again */
export async function resealEach<Row extends { readonly name: string }>(
  rows: readonly Row[],
  reseal: (row: Row) => Promise<boolean>,
): Promise<Resealed> {
  let sealed = 0;
  const closed: string[] = [];
  for (const row of rows) {
    try {
      if (await reseal(row)) sealed++;
    } catch (error) {
      if (!(error instanceof CannotOpen)) throw error;
      closed.push(row.name);
    }
  }
  return { sealed, closed };
}
