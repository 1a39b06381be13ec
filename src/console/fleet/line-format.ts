/** The content type of a file of lines, by its name: browsers know few of them. */
export const lineFormat = ({ name }: { readonly name: string }): string =>
  /\.(ndjson|jsonl|json)$/i.test(name) ? 'application/x-ndjson' : 'text/csv';
