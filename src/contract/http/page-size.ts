/** Most items of a page of a list; without the schemas of pages, for clients that check nothing. */
export const MAX_PAGE = 1_000;
