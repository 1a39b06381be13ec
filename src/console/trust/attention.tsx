/** Tasks that need attention soon. */
export function Attention({ items }: { items: readonly string[] }) {
  return (
    <div role="status">
      {items.length > 0 && (
        <ul className="note attention">
          {items.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
