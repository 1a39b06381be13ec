/** What the pages of dead letters and refused events share. */
import { type ReactNode } from 'react';
import { SelectField } from './fields.js';
import { TextFilter } from './text-filter.js';

interface FilterProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
}

const vinFault = (typed: string) =>
  /^([A-HJ-NPR-Z0-9]{17})?$/.test(typed) ? undefined : 'A VIN has 17 characters.';

/** A whole VIN to filter by. */
export function VinFilter(props: FilterProps) {
  return <TextFilter label="VIN is" faultOf={vinFault} isUpperCase {...props} />;
}

const REPLAYED = [
  { value: '', label: 'all' },
  { value: 'false', label: 'not yet' },
  { value: 'true', label: 'replayed' },
];

export function ReplayedFilter(props: FilterProps) {
  return <SelectField label="Replayed" options={REPLAYED} {...props} />;
}

interface FaultProps {
  readonly reason: ReactNode;
  /** JSON Pointer to the invalid field; '': not a single field. */
  readonly path: string;
  readonly detail: string;
}

/** Why a message was set aside. */
export function Fault({ reason, path, detail }: FaultProps) {
  return (
    <>
      {reason}
      <small>
        {path !== '' && <code>{path}</code>} {detail}
      </small>
    </>
  );
}
