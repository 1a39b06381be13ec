/** Cursors of lists: opaque to clients, valid only for the list that issued them. Pure. */
import { textFault } from '../storable-text.js';
import { invalid } from './problem.js';

export interface ListCursor {
  /** @param position of the last row of a page, e.g. a VIN */
  of(position: string): string;
  /** The position that a cursor stands for; undefined for the first page. @throws Problem 400 */
  read(cursor: string | undefined): string | undefined;
}

/**
 * @param list its name, which no other list of this server has
 * @param position shape of its positions
 */
export function listCursor(list: string, position: RegExp): ListCursor {
  const prefix = `${list} `;
  const write = (text: string) => Buffer.from(prefix + text).toString('base64url');
  return {
    of: write,
    read(cursor) {
      if (cursor === undefined) return undefined;
      const text = Buffer.from(cursor, 'base64url').toString();
      const found = text.slice(prefix.length);
      // Several base64url texts decode to the same bytes: only the one that was issued is a valid cursor.
      if (!position.test(found) || textFault(found) !== undefined || write(found) !== cursor) {
        throw invalid([{ path: '/cursor', message: 'is not a nextCursor of this list' }]);
      }
      return found;
    },
  };
}

/** Positions that are ids from a sequence, at most `9007199254740991`. */
export const ID_POSITION = /^[1-9][0-9]{0,15}$/;
export const VIN_POSITION = /^[A-HJ-NPR-Z0-9]{17}$/;
