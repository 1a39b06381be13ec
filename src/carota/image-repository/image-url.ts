/** `{dir}/{HASH}.{name}` of an image (POUF, section 1; Uptane, "Rules for filenames"): pure. */

export interface RequestedImage {
  /** Target path. */
  readonly path: string;
  /** Lower-case hex. */
  readonly digest: string;
}

const NAME = /^([0-9a-f]{64}|[0-9a-f]{128})\.(.+)$/s;

/** @param url below `targets/`, percent-encoded. @returns `undefined` if it is not the URL of an image */
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
  // A segment must neither lead outside the folder nor become two segments there.
  const isSafe = all.every(
    (part) => part !== '' && part !== '.' && part !== '..' && !/[/\\\0]/.test(part),
  );
  return isSafe ? { path: all.join('/'), digest } : undefined;
}
