import { shortKey } from './short-key.js';

/** Key ids, shortened; the whole id is in the table of keys. */
export function KeyIds({ ids }: { ids: readonly string[] }) {
  if (ids.length === 0) return <span className="muted">–</span>;
  return (
    <ul className="key-ids">
      {ids.map((id) => (
        <li key={id}>
          <code title={id}>{shortKey(id)}</code>
        </li>
      ))}
    </ul>
  );
}
