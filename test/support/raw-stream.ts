/** Raw bytes of an endless answer. */
import { eventually } from './adapter.js';

export interface RawStream {
  text(): string;
  /** Resolves once the server has ended the answer. */
  readonly ended: Promise<void>;
  close(): void;
  /** Resolves once all of these have arrived. */
  until(...parts: string[]): Promise<boolean>;
}

export async function openStream(url: string, token: string): Promise<RawStream> {
  const abort = new AbortController();
  const response = await fetch(url, {
    headers: { 'authorization-token': token },
    signal: abort.signal,
  });
  let text = '';
  const ended = (async () => {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) {
        text += decoder.decode(chunk as Uint8Array, { stream: true });
      }
    } catch {
      // Cut off by the server, or closed by us.
    }
  })();
  return {
    text: () => text,
    ended,
    close: () => abort.abort(),
    until: (...parts) =>
      eventually(
        () => Promise.resolve(parts.every((part) => text.includes(part))),
        (isThere) => isThere,
      ),
  };
}
