import { CheckField, SelectField, TextArea, TextField } from '../ui/fields.js';
import { bind } from '../ui/bind.js';
import { type ScriptForm } from './script-form.js';

export type ChangeScript = (changes: Partial<ScriptForm>) => void;

interface HowFieldsProps {
  readonly form: ScriptForm;
  readonly change: ChangeScript;
  readonly at: (path: string) => string | undefined;
}

/** How a vehicle installs it: consent, preconditions, window, what it does where it fails. */
export function HowFields({ form, change, at }: HowFieldsProps) {
  const bound = bind(form, change, at);
  return (
    <>
      <TextArea
        label="Question to the driver"
        {...bound('consent', '/consent/text')}
        rows={2}
        help="Empty: the driver is not asked."
      />
      <div className="form-grid">
        <TextField
          label="Answer within, seconds"
          type="number"
          {...bound('consentTimeout', '/consent/timeout')}
        />
        <TextField
          label="Battery at least, percent"
          type="number"
          min={0}
          max={100}
          {...bound('battery', '/preconditions/battery')}
        />
        <SelectField label="Gear" {...bound('gear')} options={anyOr('park')} />
        <SelectField label="Ignition" {...bound('ignition')} options={anyOr('on', 'off')} />
        <TextField
          label="Waits for these, seconds"
          type="number"
          {...bound('waiting', '/preconditions/timeout')}
        />
        <TextField
          label="Installs from"
          type="time"
          {...bound('from', '/window/from')}
          help="The vehicle’s time."
        />
        <TextField label="until" type="time" {...bound('to', '/window/to')} />
      </div>
      <CheckField
        label="Go back to the software before, where the new one does not start"
        checked={form.rollback}
        onChange={(rollback) => change({ rollback })}
      />
      <CheckField
        label="Allow an older version than the one that runs"
        checked={form.downgrade}
        onChange={(downgrade) => change({ downgrade })}
      />
    </>
  );
}

const anyOr = (...values: readonly string[]) => [
  { value: '', label: 'any' },
  ...values.map((value) => ({ value, label: value })),
];
