/** Cursors of lists: opaque to the caller, valid for the list that gave them and for no other. Pure. */
import { Pattern } from '../../contract/index.js';
import { textFault } from '../storable-text.js';
import { invalid } from './problem.js';

/** A ref-id of 256 characters as a position, in base64. */
const MAX_CURSOR = 1_600;

export const Cursor = Pattern('^[A-Za-z0-9_-]+$', 'must be a nextCursor of this list', {
  maxLength: MAX_CURSOR,
  description: '`nextCursor` of the page before.',
});

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
      // Several texts of base64url are the same bytes: only the one that we have given is a cursor.
      if (!position.test(found) || textFault(found) !== undefined || write(found) !== cursor) {
        throw invalid([{ path: '/cursor', message: 'is not a nextCursor of this list' }]);
      }
      return found;
    },
  };
}

/** Positions that are ids from a sequence: `9007199254740991` at most. */
export const ID_POSITION = /^[1-9][0-9]{0,15}$/;
export const VIN_POSITION = /^[A-HJ-NPR-Z0-9]{17}$/;
