// @ts-check
/** Opens the embedded database of a data directory, prints the result, and keeps it open. */
import { openEmbedded } from '../../../dist/service/database/index.js';

const [, , directory = ''] = process.argv;
try {
  const database = await openEmbedded(directory);
  process.once('SIGTERM', () => void database.close().then(() => process.exit(0)));
  setInterval(() => undefined, 60_000);
  console.log('open');
} catch (error) {
  console.log(`refused: ${/** @type {Error} */ (error).message}`);
}
