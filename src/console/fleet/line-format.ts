/** The content type of a CSV or NDJSON file, by its name, as browsers know few of them. */
export const lineFormat = ({ name }: { readonly name: string }): string =>
  /\.(ndjson|jsonl|json)$/i.test(name) ? 'application/x-ndjson' : 'text/csv';
