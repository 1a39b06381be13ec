/**
 * Connections to a database are divided into lanes, so that no lane can take all of them: vehicles’ messages and triggers,
 * the work of requests, and reads for people.
 */
import { type Database, type Queryable } from './database.js';

/** Maximum number of connections per lane. */
export const LANE_CONNECTIONS = {
  /** Storing and sending messages; everything that runs by itself. The Database itself. */
  messages: 8,
  /** Requests: authentication, and all changes. */
  requests: 6,
  /** Lists, searches, exports, summaries, live updates: all potentially large reads. */
  reading: 4,
} as const;

export type Lane = keyof typeof LANE_CONNECTIONS;

/** Default of how long a statement of the reading lane may take, seconds. */
export const READING_SECONDS = 15;

/** A database with lanes; the default lane is `messages`. */
export interface LanedDatabase extends Database {
  /** Are closed with the database. */
  readonly requests: Database;
  readonly reading: Database;
  /** Of the embedded database only: runs work that its own role is not allowed to do, in one transaction. */
  readonly asSuperuser?: (work: (tx: Queryable) => Promise<void>) => Promise<void>;
}
