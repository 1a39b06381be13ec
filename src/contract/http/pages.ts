/** Lists come in pages (contract section 4). */
import Type from '../typebox.js';
import { Pattern } from '../values/pattern.js';
import { MAX_PAGE } from './page-size.js';

/** A ref-id of 256 characters as a position, in base64. */
const MAX_CURSOR = 1_600;

/** Position in a list, opaque to clients: base64url, at most 1,600 characters. */
export const Cursor = Pattern('^[A-Za-z0-9_-]+$', 'must be a nextCursor of this list', {
  maxLength: MAX_CURSOR,
  description: '`nextCursor` of the previous page.',
});

/** Query of a list: at most how many items, 100 by default, and after which page. */
export const PageQuery = Type.Object({
  limit: Type.Integer({
    minimum: 1,
    maximum: MAX_PAGE,
    default: 100,
    description: 'Maximum number of items on the page.',
  }),
  cursor: Type.Optional(Cursor),
});

/** One page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** null on the last page. */
  readonly nextCursor: string | null;
}

/** One page; `nextCursor` is null on the last one. Called after its items: `OperationPage`. */
export const pageOf = <Item extends Type.TSchema>(item: Item) =>
  Type.Object(
    {
      items: Type.Array(item),
      nextCursor: Type.Union([Type.String(), Type.Null()], {
        description: '`cursor` of the next page; null on the last one.',
      }),
    },
    titleAfter(item, 'Page'),
  );

/** All there are at once. Called after its items: `ReceiverList`. */
export const listOf = <Item extends Type.TSchema>(item: Item) =>
  Type.Object({ items: Type.Array(item) }, titleAfter(item, 'List'));

function titleAfter(item: Type.TSchema & { readonly title?: string }, suffix: string) {
  return item.title === undefined ? {} : { title: `${item.title}${suffix}` };
}
