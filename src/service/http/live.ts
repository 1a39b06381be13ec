/**
 * `/v1.0/live`: announces to browsers, as Server-Sent Events, which topics have changed. They then refetch from the HTTP
 * interface, so that they always show its answers. A connection starts with `hello`, upon which everything is refetched.
 */
import { type ServerResponse } from 'node:http';
import { type FastifyInstance } from 'fastify';
import { isInScope, type liveApiOf, type Scopes } from '../../contract/index.js';
import { scopesOf } from './scoped.js';
import { serve } from './serve.js';

/** The current version of a topic. */
export interface Mark {
  readonly topic: string;
  /** The vehicle model that it concerns; null: several, or none. A list has a mark for each model. */
  readonly model: string | null;
  /** Differs when something has changed. */
  readonly fingerprint: string;
}

/** Of a list of things with a name and a model, a mark for each model. */
export function listMarks(
  topic: string,
  listed: readonly { readonly ref_id: string; readonly model: string; readonly mark: string }[],
): Mark[] {
  const models = new Map<string, string[]>();
  for (const { ref_id, model, mark } of listed) {
    models.set(model, [...(models.get(model) ?? []), `${ref_id} ${mark}`]);
  }
  return Array.from(models, ([model, lines]) => ({ topic, model, fingerprint: lines.join('\n') }));
}

/** Marks of all lists, and of the requested objects. */
export type Look = (wanted: ReadonlySet<string>) => Promise<readonly Mark[]>;

/** The marks by compared key: an object may change its model, a list has one mark per model. */
type Marks = ReadonlyMap<string, Mark>;
const byKey = (marks: readonly Mark[]): Marks =>
  new Map(
    marks.map((mark) => [
      isList(mark.topic) ? JSON.stringify([mark.topic, mark.model]) : mark.topic,
      mark,
    ]),
  );
const isList = (topic: string) => !topic.includes(':');

/** Interval between checks, ms: including the refetch, a change appears within a second. */
const LOOK_MS = 250;
const ALIVE_MS = 5_000;
/** A browser with this many unread bytes is disconnected; it reconnects and refetches. */
const MAX_UNREAD = 1024 * 1024;
interface Watcher {
  readonly topics: ReadonlySet<string>;
  /** Limited callers are not notified of other models. */
  readonly scopes: Scopes;
  readonly send: (event: string, data: object) => void;
  /** Whether `hello` was sent. That waits for the first fingerprints, so that no change is missed. */
  greeted: boolean;
}

/** Checks for changes on behalf of all watchers, and only while there are any. */
class LiveWatch {
  readonly #look: Look;
  readonly #watchers = new Set<Watcher>();
  #marks: Marks = new Map();
  #running = false;

  constructor(look: Look) {
    this.#look = look;
  }

  /** @returns stops watching */
  add(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    if (!this.#running) void this.#run();
    return () => this.#watchers.delete(watcher);
  }

  async #run(): Promise<void> {
    this.#running = true;
    this.#marks = new Map();
    while (this.#watchers.size > 0) {
      const started = performance.now();
      await this.#once();
      // Checking takes at most a third of the time, so that a slow database is not slowed down further.
      const pause = Math.max(LOOK_MS, 2 * (performance.now() - started));
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    this.#running = false;
  }

  async #once(): Promise<void> {
    const watchers = [...this.#watchers];
    const { marks, away } = await this.#lookFor(watchers);
    const changed = [...marks].filter((entry) => this.#hasChanged(entry)).map(([, mark]) => mark);
    // Topics that could not be checked count as unchanged.
    this.#marks = new Map([...(away.size > 0 ? this.#marks : []), ...marks]);
    for (const watcher of watchers) {
      const { send, greeted } = watcher;
      watcher.greeted = !away.has(watcher);
      const mine = topicsFor(watcher, changed);
      if (away.has(watcher)) {
        if (greeted) send('away', {});
      } else if (!greeted) send('hello', {});
      else if (mine.length > 0) send('changed', { topics: mine });
    }
  }

  /**
   * Checks all topics at once. If that fails although the lists alone can be checked, checks each watcher's topics
   * separately: one watcher's topic must not break the others.
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
      for (const [key, mark] of own ?? []) marks.set(key, mark);
    }
    return { marks, away };
  }

  #try(topics: ReadonlySet<string>): Promise<Marks | undefined> {
    return this.#look(topics).then(byKey, () => undefined);
  }

  /** An object checked for the first time counts as unchanged; a list that has a new part has changed. */
  #hasChanged([key, { topic, model, fingerprint }]: readonly [string, Mark]): boolean {
    const before = this.#marks.get(key);
    if (!before) return isList(topic) && this.#marks.size > 0;
    return before.fingerprint !== fingerprint || before.model !== model;
  }
}

/** The changed topics of which a watcher is notified. */
const topicsFor = ({ topics, scopes }: Watcher, changed: readonly Mark[]): string[] => [
  ...new Set(
    changed
      .filter(({ topic }) => isList(topic) || topics.has(topic))
      .filter(({ model }) => isInScope(scopes, model))
      .map(({ topic }) => topic),
  ),
];

export interface LiveContext {
  readonly look: Look;
  readonly stopping: AbortSignal;
}

/**
 * Topics of a single object contain `:`, e.g. `operation:0909`, and are sent to those who subscribed; all others are sent
 * to everyone.
 */
export function liveRoute(
  server: FastifyInstance,
  { watch }: ReturnType<typeof liveApiOf>,
  { look, stopping }: LiveContext,
): void {
  const watched = new LiveWatch(look);
  serve(server, watch, ({ request, query, reply }) => {
    const topics = new Set(query.topic ?? []);
    reply.hijack();
    tell(watched, { topics, scopes: scopesOf(request) }, reply.raw, stopping);
  });
}

function tell(
  watch: LiveWatch,
  wanted: Pick<Watcher, 'topics' | 'scopes'>,
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
  const remove = watch.add({ ...wanted, send, greeted: false });
  const alive = setInterval(() => send('alive', {}), ALIVE_MS);
  stopping.addEventListener('abort', end);
  response.once('close', () => {
    clearInterval(alive);
    stopping.removeEventListener('abort', end);
    remove();
  });
}
