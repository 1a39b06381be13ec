/** Fields of a form, each with a label, help and error. */
import { Field } from '@base-ui/react/field';
import { type ReactNode } from 'react';
import { numberFault, type NumberRule } from '../format/number-text.js';

interface Common {
  readonly label: string;
  readonly help?: ReactNode;
  readonly error?: string | undefined;
}

interface TextProps extends Common {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly type?: 'text' | 'time' | 'datetime-local' | 'search' | 'password';
  readonly placeholder?: string;
  readonly required?: boolean;
  readonly inputMode?: 'text' | 'numeric' | 'decimal';
}

function Labelled({ label, help, error, children }: Common & { readonly children: ReactNode }) {
  return (
    <Field.Root className="field" invalid={error !== undefined}>
      <Field.Label>{label}</Field.Label>
      {children}
      {help !== undefined && <Field.Description className="help">{help}</Field.Description>}
      <Field.Error className="fault" match={error !== undefined}>
        {error}
      </Field.Error>
    </Field.Root>
  );
}

export function TextField({ label, help, error, onChange, ...input }: TextProps) {
  return (
    <Labelled label={label} help={help} error={error}>
      <Field.Control {...input} autoComplete="off" spellCheck={false} onValueChange={onChange} />
    </Labelled>
  );
}

/**
 * A number as text, with a numeric keyboard on touch screens. An input of type `number` would yield an empty text for
 * anything it cannot parse, such as a half-typed `5e`, and thus remove a limit.
 */
export function NumberField({
  rule,
  error,
  ...field
}: Omit<TextProps, 'type'> & { readonly rule: NumberRule }) {
  const { isInteger = false, min, above } = rule;
  // Numeric keyboards have no minus sign.
  const isSigned = (min ?? above ?? -1) < 0;
  return (
    <TextField
      {...field}
      inputMode={isSigned ? 'text' : isInteger ? 'numeric' : 'decimal'}
      error={numberFault(field.value, rule) ?? error}
    />
  );
}

export function TextArea({
  label,
  help,
  error,
  value,
  onChange,
  rows = 4,
}: Common & {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly rows?: number;
}) {
  return (
    <Labelled label={label} help={help} error={error}>
      <Field.Control
        render={<textarea rows={rows} spellCheck={false} />}
        value={value}
        onValueChange={onChange}
      />
    </Labelled>
  );
}

export function SelectField({
  label,
  help,
  error,
  value,
  onChange,
  options,
}: Common & {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly options: readonly { readonly value: string; readonly label: string }[];
}) {
  return (
    <Labelled label={label} help={help} error={error}>
      <Field.Control
        render={
          <select>
            {options.map((option) => (
              <option key={option.value} value={option.value}>
                {option.label}
              </option>
            ))}
          </select>
        }
        value={value}
        onValueChange={onChange}
      />
    </Labelled>
  );
}

export function CheckField({
  label,
  checked,
  onChange,
}: {
  readonly label: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}) {
  return (
    <label className="check">
      <input
        type="checkbox"
        checked={checked}
        onChange={({ target }) => onChange(target.checked)}
      />
      {label}
    </label>
  );
}
