import { useState } from 'react';
import { TextField } from './fields.js';
import { useSettled } from './use-settled.js';

interface TextFilterProps {
  readonly label: string;
  /** What is filtered by now. */
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** What is wrong with what is typed; it is then not filtered by. */
  readonly faultOf?: (typed: string) => string | undefined;
  readonly isUpperCase?: boolean;
  readonly placeholder?: string;
}

/** A text to filter by, as soon as one has stopped typing. */
export function TextFilter({
  label,
  value,
  onChange,
  faultOf = () => undefined,
  isUpperCase = false,
  placeholder = '',
}: TextFilterProps) {
  const [typed, setTyped] = useState(value);
  const [told, setTold] = useState(value);
  // The address was changed by something else, as Back or a link: the field follows it.
  if (value !== told) {
    setTold(value);
    setTyped(value);
  }
  const fault = faultOf(typed);
  useSettled(typed, (settled) => {
    if (settled === value || fault !== undefined) return;
    setTold(settled);
    onChange(settled);
  });
  return (
    <TextField
      label={label}
      type="search"
      value={typed}
      onChange={(text) => setTyped(isUpperCase ? text.toUpperCase() : text)}
      error={fault}
      placeholder={placeholder}
    />
  );
}
