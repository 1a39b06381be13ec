/** The embedded database: PGlite (PostgreSQL as WebAssembly) on disk, in a thread of its own. */
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import {
  type Database,
  DatabaseError,
  type Parameter,
  type Queryable,
  SESSION_SETTINGS,
} from './database.js';

interface Answer {
  readonly id: number;
  readonly rows?: object[];
  readonly failure?: { readonly message: string; readonly code: string | undefined };
}

/**
 * Opens the database in a directory, which is made if it is not there. Only one process may have
 * it open: the caller holds the data directory's lock.
 *
 * @param upkeep what PostgreSQL's background processes do elsewhere, PGlite has none: statements that
 *   reclaim old row versions of the tables that are updated all the time, and renew the planner's
 *   statistics; the write-ahead log is cut besides
 * @throws DatabaseError
 */
export async function openEmbedded(
  directory: string,
  upkeep: readonly string[] = [],
): Promise<Database> {
  await mkdir(directory, { recursive: true });
  const worker = new Worker(new URL('./embedded-worker.mjs', import.meta.url), {
    workerData: { directory },
  });
  const waiting = new Map<number, PromiseWithResolvers<object[]>>();
  let requests = 0;
  let ended: Error | undefined;

  worker.on('message', ({ id, rows, failure }: Answer) => {
    const request = waiting.get(id);
    waiting.delete(id);
    if (failure) request?.reject(new DatabaseError(Object.assign(new Error(), failure)));
    else request?.resolve(rows ?? []);
  });
  const fail = (error: Error) => {
    ended ??= error;
    for (const request of waiting.values()) request.reject(new DatabaseError(ended));
    waiting.clear();
  };
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('the embedded database has ended')));

  const started = withResolvers<object[]>();
  waiting.set(0, started);
  await started.promise;

  const ask = (kind: string, text: string, parameters: readonly Parameter[] = []) => {
    if (ended) return Promise.reject(new DatabaseError(ended));
    const request = withResolvers<object[]>();
    const id = ++requests;
    waiting.set(id, request);
    worker.postMessage({ id, kind, text, parameters });
    return request.promise;
  };
  const direct: Queryable = {
    query: async <Row extends object>(text: string, parameters?: readonly Parameter[]) =>
      (await ask('query', text, parameters)) as Row[],
    script: async (text) => {
      await ask('script', text);
    },
  };

  await direct.script(SESSION_SETTINGS);

  // There is one session. Whoever has a transaction open in it has it alone.
  let turn: Promise<unknown> = Promise.resolve();
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  };

  return {
    connections: 1,
    query: (text, parameters) => alone(() => direct.query(text, parameters)),
    script: (text) => alone(() => direct.script(text)),
    transaction: (work) =>
      alone(async () => {
        await direct.script('begin');
        try {
          const result = await work(direct);
          await direct.script('commit');
          return result;
        } catch (error) {
          await direct.script('rollback');
          throw error;
        }
      }),
    async maintain() {
      for (const statement of [...upkeep, 'checkpoint'])
        await alone(() => direct.script(statement));
    },
    async close() {
      await alone(() => ask('close', ''));
      const exit = once(worker, 'exit');
      await worker.terminate();
      await exit;
    },
  };
}

interface PromiseWithResolvers<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: Error) => void;
}

function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: Error) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
