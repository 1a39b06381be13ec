/** Reads Server-Sent Events like a browser (WHATWG HTML, section 9.2). */

export interface ServerSentEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

export interface EventReader {
  readonly status: number;
  /** The id to resume with. */
  readonly lastEventId: string;
  readonly events: ServerSentEvent[];
  /** Resolves once this many have arrived. */
  until(count: number): Promise<ServerSentEvent[]>;
  close(): void;
  /** Resolves once the server has ended the stream. */
  readonly ended: Promise<void>;
}

export async function readServerSentEvents(
  url: string,
  headers: Record<string, string>,
): Promise<EventReader> {
  const abort = new AbortController();
  const response = await fetch(url, { headers, signal: abort.signal });
  const events: ServerSentEvent[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  let lastEventId = '';
  const take = (block: string) => {
    const fields = new Map(
      block.split('\n').map((line) => {
        const at = line.indexOf(': ');
        return [line.slice(0, at), line.slice(at + 2)] as const;
      }),
    );
    lastEventId = fields.get('id') ?? lastEventId;
    const data = fields.get('data');
    if (data === undefined) return;
    events.push({ id: lastEventId, event: fields.get('event') ?? 'message', data });
    for (const { count, resolve } of waiting) if (events.length >= count) resolve();
  };
  const ended = (async () => {
    let text = '';
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) {
        text += decoder.decode(chunk as Uint8Array, { stream: true });
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        blocks.forEach(take);
      }
    } catch {
      // Closed by us.
    }
  })();
  return {
    status: response.status,
    get lastEventId() {
      return lastEventId;
    },
    events,
    until: (count) =>
      new Promise((resolve) => {
        if (events.length >= count) resolve(events);
        else waiting.push({ count, resolve: () => resolve(events) });
      }),
    close: () => abort.abort(),
    ended,
  };
}
