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
  const known = inOrder(states).map(([state]) => state);
  const rest = [...others, value].filter((state) => state !== '' && !known.includes(state));
  return (
    <SelectField
      label="State"
      value={value}
      onChange={onChange}
      options={[
        { value: '', label: 'any state' },
        ...[...known, ...new Set(rest)].map((state) => ({
          value: state,
          label: `${state} (${count(states[state] ?? 0)})`,
        })),
      ]}
    />
  );
}
