/** `{dir}/{HASH}.{name}` of an image (POUF, section 1; Uptane, "Rules for filenames"): pure. */

export interface RequestedImage {
  /** Target path. */
  readonly path: string;
  /** Lower-case hex. */
  readonly digest: string;
}

const NAME = /^([0-9a-f]{64}|[0-9a-f]{128})\.(.+)$/s;

/** @param url below `targets/`, percent-encoded. @returns `undefined` for what is no image's */
export function requestedImage(url: string): RequestedImage | undefined {
  let parts: string[];
  try {
    parts = url.split('/').map(decodeURIComponent);
  } catch {
    return undefined;
  }
  const [, digest, name] = NAME.exec(parts.at(-1) ?? '') ?? [];
  if (digest === undefined || name === undefined) return undefined;
  const all = [...parts.slice(0, -1), name];
  // A part may not lead elsewhere on the disk, nor be two parts there.
  const isSafe = all.every(
    (part) => part !== '' && part !== '.' && part !== '..' && !/[/\\\0]/.test(part),
  );
  return isSafe ? { path: all.join('/'), digest } : undefined;
}
