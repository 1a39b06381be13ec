import { type States } from '../../contract/adapter-api/index.js';
import { count, percent } from '../format/numbers.js';
import { byGroup, GROUPS } from '../states/groups.js';

/** An operation's vehicles by group of states, as shares of one bar. */
export function StateBar({ states, vehicles }: { states: States; vehicles: number }) {
  const shares = byGroup(states);
  const parts = GROUPS.map((group, place) => ({ ...group, n: shares[place] ?? 0 })).filter(
    ({ n }) => n > 0,
  );
  const text = parts.map(({ label, n }) => `${label} ${count(n)}`).join(', ');
  return (
    <div className="bar" role="img" aria-label={text === '' ? 'no vehicles' : text} title={text}>
      {parts.map(({ id, n }) => (
        <i key={id} className={`group-${id}`} style={{ width: `${(n / vehicles) * 100}%` }} />
      ))}
    </div>
  );
}

export interface BarProps {
  readonly value: number;
  readonly of: number;
  readonly label: string;
  readonly group?: string;
}

/** A single share. */
export function ShareBar({ value, of, label, group = 'success' }: BarProps) {
  return (
    <div className="bar" role="img" aria-label={`${label}: ${percent(value, of)}`}>
      {value > 0 && <i className={`group-${group}`} style={{ width: `${(value / of) * 100}%` }} />}
    </div>
  );
}

/** The meaning of the colours. */
export function Legend({ states }: { states: States }) {
  const shares = byGroup(states);
  return (
    <ul className="legend">
      {GROUPS.map(({ id, label }, place) => (
        <li key={id}>
          <i className={`swatch group-${id}`} aria-hidden="true" />
          {label} <b>{count(shares[place] ?? 0)}</b>
        </li>
      ))}
    </ul>
  );
}
