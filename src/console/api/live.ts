/**
 * Hears from the server what has changed, and has it asked for again. A change comes as a topic, never as a number:
 * what is shown is always what the interface answers. Each connection begins with `hello`, and then everything is asked
 * for once more, so that nothing is missed while it was lost.
 */
import { type QueryClient } from '@tanstack/react-query';
import { liveApi } from '../../contract/adapter-api/index.js';
import { queryText } from '../../contract/client/request-text.js';
import { topicsOf } from './topics.js';

/** live: changes come. away: the server is there, its database is not. lost: the server is not there. */
export type Connection = 'connecting' | 'live' | 'away' | 'lost';

/** The server says that it is alive every 5 s. */
const SILENT_MS = 12_000;
const RETRY_MS = 1_500;
/** A tab that no one has looked at for so long needs no connection: a browser has six to a server. */
const HIDDEN_MS = 30_000;
/** From one round of asking to the next: under a storm of changes a page asks, draws, and rests. */
const REST_MS = 300;

export class Live {
  readonly #queries: QueryClient;
  readonly #listeners = new Set<() => void>();
  readonly #topics = new Map<string, number>();
  #source: EventSource | undefined;
  #connection: Connection = 'connecting';
  #since = Date.now();
  #silence: number | undefined;
  #retry: number | undefined;
  #opening: number | undefined;
  #hidden: number | undefined;
  #open = '';
  #pending = new Set<string>();
  #asking = false;

  constructor(queries: QueryClient) {
    this.#queries = queries;
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** Since when it is as it is, ms. */
  get since(): number {
    return this.#since;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Changes of one thing, e.g. `operation:0909`, are wanted. @returns no longer */
  watch(topic: string): () => void {
    this.#topics.set(topic, (this.#topics.get(topic) ?? 0) + 1);
    this.#reopenSoon();
    return () => {
      const left = (this.#topics.get(topic) ?? 1) - 1;
      if (left > 0) this.#topics.set(topic, left);
      else this.#topics.delete(topic);
      this.#reopenSoon();
    };
  }

  start(): void {
    document.addEventListener('visibilitychange', this.#seen);
    this.#reopenSoon();
  }

  stop(): void {
    document.removeEventListener('visibilitychange', this.#seen);
    clearTimeout(this.#hidden);
    this.#close();
  }

  readonly #seen = (): void => {
    clearTimeout(this.#hidden);
    if (document.hidden) this.#hidden = setTimeout(() => this.#close(), HIDDEN_MS);
    // What has happened meanwhile is asked for, as after any break.
    else this.#reopenSoon();
  };

  #close(): void {
    this.#source?.close();
    this.#source = undefined;
    this.#open = '';
    clearTimeout(this.#silence);
    clearTimeout(this.#retry);
    clearTimeout(this.#opening);
  }

  /** Pages come and go in one turn; the connection changes once, after it. */
  #reopenSoon(): void {
    clearTimeout(this.#opening);
    this.#opening = setTimeout(() => {
      const wanted = [...this.#topics.keys()].sort();
      if (this.#source && this.#open === wanted.join('\n')) return;
      this.#connect(wanted);
    }, 20);
  }

  #connect(topics: readonly string[]): void {
    this.#source?.close();
    clearTimeout(this.#retry);
    this.#open = topics.join('\n');
    const source = new EventSource(liveApi.watch.path + queryText({ topic: topics }));
    this.#source = source;
    this.#heard();
    source.addEventListener('hello', () => {
      this.#become('live');
      this.#ask(['*']);
    });
    source.addEventListener('changed', ({ data }: MessageEvent<string>) => {
      this.#heard();
      this.#ask((JSON.parse(data) as { topics: string[] }).topics);
    });
    source.addEventListener('away', () => this.#become('away'));
    source.addEventListener('alive', () => this.#heard());
    source.addEventListener('error', () => this.#lost());
  }

  #lost(): void {
    this.#source?.close();
    this.#source = undefined;
    this.#become('lost');
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#connect([...this.#topics.keys()].sort()), RETRY_MS);
    // A session that has ended is told by the answer to a question, not by this stream.
    void this.#queries.invalidateQueries({ queryKey: ['session'] });
  }

  #heard(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#lost(), SILENT_MS);
  }

  #become(connection: Connection): void {
    if (connection === 'lost') clearTimeout(this.#silence);
    else this.#heard();
    if (connection === this.#connection) return;
    this.#connection = connection;
    this.#since = Date.now();
    for (const listener of this.#listeners) listener();
  }

  /** What changes while it is being asked for is asked for once more after it. */
  #ask(topics: readonly string[]): void {
    for (const topic of topics) this.#pending.add(topic);
    if (!this.#asking) void this.#askInTurn();
  }

  async #askInTurn(): Promise<void> {
    this.#asking = true;
    while (this.#pending.size > 0) {
      const topics = this.#pending;
      this.#pending = new Set();
      await this.#queries.invalidateQueries({
        predicate: ({ meta }) => {
          const of = topicsOf(meta);
          return of.length > 0 && (topics.has('*') || of.some((topic) => topics.has(topic)));
        },
      });
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
    }
    this.#asking = false;
  }
}
