/**
 * Spares a server that refuses connections, e.g. while it recovers: each attempt costs it a process and a line of its log,
 * and a fleet that signs in again makes hundreds per second.
 */
import pg from 'pg';

/** After a refusal, no connection is attempted for this long, ms; statements that need one fail with the same error. */
const PAUSE_MS = 50;

type Connected = ((error: Error) => void) | ((error: null, client: pg.Client) => void);

/** A client that shares the server's refusals with all clients of this class. */
export function clientSharingRefusals(): typeof pg.Client {
  let refusal: { readonly error: Error; readonly until: number } | undefined;
  return class extends pg.Client {
    override connect(): Promise<pg.Client>;
    override connect(callback: Connected): void;
    override connect(callback?: Connected): Promise<pg.Client> | undefined {
      if (!callback) return super.connect();
      // The pool passes a callback, which takes both.
      const connected = callback as (error: Error | null, client?: pg.Client) => void;
      if (refusal && performance.now() < refusal.until) {
        process.nextTick(connected, refusal.error);
        return undefined;
      }
      super.connect((error: Error | null, client?: pg.Client) => {
        refusal = error ? { error, until: performance.now() + PAUSE_MS } : undefined;
        connected(error, client);
      });
      return undefined;
    }
  };
}
