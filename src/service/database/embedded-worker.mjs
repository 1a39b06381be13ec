// @ts-check
/**
 * The thread in which the embedded database runs, so that a long statement does not stop the
 * broker and the HTTP interface. Plain JavaScript, because a worker is loaded by its file name
 * both from `src` and from `dist`.
 *
 * @typedef {{ id: number, kind: 'query' | 'script' | 'close', text: string, parameters: unknown[] }} Request
 * @typedef {{ message: string, code: string | undefined }} Failure
 * @typedef {{ id: number, rows?: object[], failure?: Failure }} Answer
 */
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';

if (!parentPort) throw new Error('embedded-worker runs as a worker thread');
const port = parentPort;

const database = await PGlite.create(/** @type {string} */ (workerData.directory), {
  // A commit is in the operating system's hands when it returns: it survives the process.
  relaxedDurability: false,
});
port.postMessage({ id: 0 });

port.on('message', (/** @type {Request} */ request) => {
  answer(request).then(
    (rows) => port.postMessage({ id: request.id, rows }),
    (/** @type {{ message: string, code?: string }} */ error) =>
      port.postMessage({
        id: request.id,
        failure: { message: error.message, code: error.code },
      }),
  );
});

/**
 * @param {Request} request
 * @returns {Promise<object[]>}
 */
async function answer(request) {
  switch (request.kind) {
    case 'query':
      return (await database.query(request.text, request.parameters)).rows;
    case 'script':
      await database.exec(request.text);
      return [];
    case 'close':
      await database.close();
      return [];
  }
}
