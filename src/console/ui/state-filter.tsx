import { type States } from '../../contract/adapter-api/index.js';
import { count } from '../format/numbers.js';
import { inOrder } from '../states/groups.js';
import { SelectField } from './fields.js';

interface StateFilterProps {
  readonly states: States;
  /** States that are offered although no vehicle is in them. */
  readonly others?: readonly string[];
  readonly value: string;
  readonly onChange: (state: string) => void;
}

/** One state to filter by, each with how many vehicles it has. */
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
