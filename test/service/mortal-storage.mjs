// @ts-check
/** Opens a storage for the first time and kills itself on the way: at a statement, or when it is open. */
import pg from 'pg';

const [, , databaseUrl, dataDir = '', moment] = process.argv;
const die = () => process.kill(process.pid, 'SIGKILL');
const { query } = pg.Client.prototype;
// The first statement that writes a token, and the next commit, are those of the first token.
let tokenWritten = false;
pg.Client.prototype.query = /** @type {typeof query} */ (
  /** @this {pg.Client} @param {any[]} args */
  function (...args) {
    const text = String(args[0]?.text ?? args[0]);
    if (text.startsWith('insert into tokens')) {
      tokenWritten = true;
      if (moment === 'before the file') die();
    }
    if (text === 'commit' && tokenWritten && moment === 'before the commit') die();
    return Reflect.apply(query, this, args);
  }
);

const { openStorage } = await import('../../dist/service/storage.js');
await openStorage({ databaseUrl, dataDir }, { part: 'adapter' });
die();
