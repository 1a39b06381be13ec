/**
 * `/v1.0/live`: tells browsers at once what has changed, as Server-Sent Events; they then ask for it as anyone would,
 * so that what they show is what the interface says. A connection begins with `hello`: whatever was missed before is
 * asked for once more.
 */
import { type ServerResponse } from 'node:http';
import { type FastifyInstance } from 'fastify';
import { type liveApiOf } from '../../contract/index.js';
import { serve } from './serve.js';

/** Tells how things stand: for each topic a text that is another one when something has changed. */
export type Look = (wanted: ReadonlySet<string>) => Promise<ReadonlyMap<string, string>>;

/** Between two looks, ms: with what the browser needs to ask, a change is seen within a second. */
const LOOK_MS = 250;
const ALIVE_MS = 5_000;
/** A browser that does not read is left: it begins anew. Bytes. */
const MAX_UNREAD = 1024 * 1024;
interface Watcher {
  readonly topics: ReadonlySet<string>;
  readonly send: (event: string, data: object) => void;
  /** Whether it was told to ask for everything: only when it is known how things stand, so that no change is missed. */
  greeted: boolean;
}

/** Looks for all who watch, and only while someone does. */
class LiveWatch {
  readonly #look: Look;
  readonly #watchers = new Set<Watcher>();
  #marks: ReadonlyMap<string, string> = new Map();
  #running = false;

  constructor(look: Look) {
    this.#look = look;
  }

  /** @returns ends it */
  add(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    if (!this.#running) void this.#run();
    return () => this.#watchers.delete(watcher);
  }

  async #run(): Promise<void> {
    this.#running = true;
    this.#marks = new Map();
    while (this.#watchers.size > 0) {
      const begun = performance.now();
      await this.#once();
      // Never more than a third of the time: a slow database is not made slower.
      const pause = Math.max(LOOK_MS, 2 * (performance.now() - begun));
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    this.#running = false;
  }

  async #once(): Promise<void> {
    const watchers = [...this.#watchers];
    const { marks, away } = await this.#lookFor(watchers);
    const changed = [...marks.keys()].filter((topic) => this.#hasChanged(topic, marks));
    // What could not be looked at is as it was.
    this.#marks = new Map([...(away.size > 0 ? this.#marks : []), ...marks]);
    for (const watcher of watchers) {
      const { topics, send, greeted } = watcher;
      watcher.greeted = !away.has(watcher);
      const mine = changed.filter((topic) => !topic.includes(':') || topics.has(topic));
      if (away.has(watcher)) {
        if (greeted) send('away', {});
      } else if (!greeted) send('hello', {});
      else if (mine.length > 0) send('changed', { topics: mine });
    }
  }

  /**
   * All at once. Where that fails although the lists can be looked at, one watcher at a time: what one has named must
   * not take the view from the others.
   */
  async #lookFor(watchers: readonly Watcher[]) {
    const all = await this.#try(new Set(watchers.flatMap(({ topics }) => [...topics])));
    if (all) return { marks: all, away: new Set<Watcher>() };
    const lists = await this.#try(new Set());
    const marks = new Map(lists);
    const away = new Set<Watcher>();
    for (const watcher of watchers) {
      const own = lists && (await this.#try(watcher.topics));
      if (!own) away.add(watcher);
      for (const [topic, mark] of own ?? []) marks.set(topic, mark);
    }
    return { marks, away };
  }

  #try(topics: ReadonlySet<string>): Promise<ReadonlyMap<string, string> | undefined> {
    return this.#look(topics).catch(() => undefined);
  }

  /** What is looked at for the first time has not changed. */
  #hasChanged(topic: string, marks: ReadonlyMap<string, string>): boolean {
    const before = this.#marks.get(topic);
    return before !== undefined && before !== marks.get(topic);
  }
}

export interface LiveContext {
  readonly look: Look;
  readonly stopping: AbortSignal;
}

/**
 * Topics with a `:` are about one thing, e.g. `operation:0909`, and told to those who named them; the others are told to
 * all.
 */
export function liveRoute(
  server: FastifyInstance,
  { watch }: ReturnType<typeof liveApiOf>,
  { look, stopping }: LiveContext,
): void {
  const watched = new LiveWatch(look);
  serve(server, watch, ({ query, reply }) => {
    const topics = new Set(query.topic ?? []);
    reply.hijack();
    tell(watched, topics, reply.raw, stopping);
  });
}

function tell(
  watch: LiveWatch,
  topics: ReadonlySet<string>,
  response: ServerResponse,
  stopping: AbortSignal,
): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
  });
  const send = (event: string, data: object) => {
    if (response.writableEnded || response.destroyed) return;
    if (response.writableLength > MAX_UNREAD) response.destroy();
    else response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const end = () => response.end();
  response.write('retry: 1000\n\n');
  const remove = watch.add({ topics, send, greeted: false });
  const alive = setInterval(() => send('alive', {}), ALIVE_MS);
  stopping.addEventListener('abort', end);
  response.once('close', () => {
    clearInterval(alive);
    stopping.removeEventListener('abort', end);
    remove();
  });
}
