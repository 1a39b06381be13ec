import { useState } from 'react';
import { TextField } from './fields.js';
import { useDebounced } from './use-debounced.js';

interface TextFilterProps {
  readonly label: string;
  /** The filter in effect. */
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** The error in the typed text; an invalid text is not applied. */
  readonly faultOf?: (typed: string) => string | undefined;
  readonly isUpperCase?: boolean;
  readonly placeholder?: string;
}

/** A text to filter by, applied after a pause in typing. */
export function TextFilter({
  label,
  value,
  onChange,
  faultOf = () => undefined,
  isUpperCase = false,
  placeholder = '',
}: TextFilterProps) {
  const [typed, setTyped] = useState(value);
  const [applied, setApplied] = useState(value);
  // Something else changed the address, such as Back or a link: the field follows.
  if (value !== applied) {
    setApplied(value);
    setTyped(value);
  }
  const fault = faultOf(typed);
  useDebounced(typed, (text) => {
    if (text === value || fault !== undefined) return;
    setApplied(text);
    onChange(text);
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
