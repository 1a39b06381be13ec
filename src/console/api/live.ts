/**
 * Receives change notifications from the server and refetches the affected queries. A notification carries only a topic,
 * never data: the pages always show answers of the HTTP interface. Each connection starts with `hello`, upon which
 * everything is refetched, so that no change is missed while disconnected.
 */
import { type QueryClient } from '@tanstack/react-query';
import { liveApi } from '../../contract/adapter-api/index.js';
import { queryText } from '../../contract/client/request-text.js';
import { topicsOf } from './topics.js';

/** live: receiving changes; away: the server's database is unavailable; lost: the server is unreachable. */
export type Connection = 'connecting' | 'live' | 'away' | 'lost';

/** The server sends a heartbeat every 5 s. */
const SILENT_MS = 12_000;
const RETRY_MS = 1_500;
/** A tab hidden for this long is disconnected: a browser opens at most six connections per server. */
const HIDDEN_MS = 30_000;
/** Pause between refetches, so that a burst of changes does not become a burst of requests. */
const PAUSE_MS = 300;
/** Collects the topics of all parts of a page before connecting. */
const CONNECT_DELAY_MS = 20;

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
  #isRefetching = false;

  constructor(queries: QueryClient) {
    this.#queries = queries;
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** When the connection state last changed, ms. */
  get since(): number {
    return this.#since;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Subscribes to changes of one topic, e.g. `operation:0909`. @returns unsubscribes */
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
    document.addEventListener('visibilitychange', this.#visibilityChanged);
    this.#reopenSoon();
  }

  stop(): void {
    document.removeEventListener('visibilitychange', this.#visibilityChanged);
    clearTimeout(this.#hidden);
    this.#close();
  }

  readonly #visibilityChanged = (): void => {
    clearTimeout(this.#hidden);
    if (document.hidden) this.#hidden = setTimeout(() => this.#close(), HIDDEN_MS);
    // Reconnecting refetches everything.
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

  /** Reconnects if the topics have changed, once for all changes of one page transition. */
  #reopenSoon(): void {
    clearTimeout(this.#opening);
    this.#opening = setTimeout(() => {
      const wanted = [...this.#topics.keys()].sort();
      if (this.#source && this.#open === wanted.join('\n')) return;
      this.#connect(wanted);
    }, CONNECT_DELAY_MS);
  }

  #connect(topics: readonly string[]): void {
    this.#source?.close();
    clearTimeout(this.#retry);
    this.#open = topics.join('\n');
    const source = new EventSource(liveApi.watch.path + queryText({ topic: topics }));
    this.#source = source;
    this.#restartSilenceTimer();
    source.addEventListener('hello', () => {
      this.#become('live');
      this.#refetch(['*']);
    });
    source.addEventListener('changed', ({ data }: MessageEvent<string>) => {
      this.#restartSilenceTimer();
      this.#refetch((JSON.parse(data) as { topics: string[] }).topics);
    });
    source.addEventListener('away', () => this.#become('away'));
    source.addEventListener('alive', () => this.#restartSilenceTimer());
    source.addEventListener('error', () => this.#lost());
  }

  #lost(): void {
    this.#source?.close();
    this.#source = undefined;
    this.#become('lost');
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#connect([...this.#topics.keys()].sort()), RETRY_MS);
    // This stream does not say whether the session has ended; a request does.
    void this.#queries.invalidateQueries({ queryKey: ['session'] });
  }

  #restartSilenceTimer(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#lost(), SILENT_MS);
  }

  #become(connection: Connection): void {
    if (connection === 'lost') clearTimeout(this.#silence);
    else this.#restartSilenceTimer();
    if (connection === this.#connection) return;
    this.#connection = connection;
    this.#since = Date.now();
    for (const listener of this.#listeners) listener();
  }

  /** A topic that changes during a refetch is refetched again afterwards. */
  #refetch(topics: readonly string[]): void {
    for (const topic of topics) this.#pending.add(topic);
    if (!this.#isRefetching) void this.#refetchPending();
  }

  async #refetchPending(): Promise<void> {
    this.#isRefetching = true;
    while (this.#pending.size > 0) {
      const topics = this.#pending;
      this.#pending = new Set();
      await this.#queries.invalidateQueries({
        predicate: ({ meta }) => {
          const of = topicsOf(meta);
          return of.length > 0 && (topics.has('*') || of.some((topic) => topics.has(topic)));
        },
      });
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    this.#isRefetching = false;
  }
}
