/** Whether the disk has room for the database. */
import { statfs } from 'node:fs/promises';

/** Two segments of the write-ahead log, bytes: with less, the next commit may find none. */
const NEEDED = 32 * 1024 * 1024;
const MEGABYTE = 1024 * 1024;

/** The message if there is not enough; undefined if there is. */
export async function noRoom(folder: string): Promise<string | undefined> {
  const { bavail, bsize } = await statfs(folder);
  const left = bavail * bsize;
  if (left >= NEEDED) return undefined;
  return (
    `no room on the disk of the data directory ${folder}: ${Math.floor(left / MEGABYTE)} MB left, ` +
    `${NEEDED / MEGABYTE} MB needed`
  );
}
