import { type States } from '../../contract/adapter-api/index.js';
import { count } from '../format/numbers.js';
import { inOrder } from '../states/groups.js';
import { SelectField } from './fields.js';

interface StateFilterProps {
  readonly states: States;
  /** Further states to offer, without vehicles. */
  readonly others?: readonly string[];
  readonly value: string;
  readonly onChange: (state: string) => void;
}

/** A state to filter by, with its number of vehicles. */
export function StateFilter({ states, others = [], value, onChange }: StateFilterProps) {
  const ordered = inOrder(states).map(([state]) => state);
  const rest = [...others, value].filter((state) => state !== '' && !ordered.includes(state));
  return (
    <SelectField
      label="State"
      value={value}
      onChange={onChange}
      options={[
        { value: '', label: 'any state' },
        ...[...ordered, ...new Set(rest)].map((state) => ({
          value: state,
          label: `${state} (${count(states[state] ?? 0)})`,
        })),
      ]}
    />
  );
}
