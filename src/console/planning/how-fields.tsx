import { CheckField, NumberField, SelectField, TextArea, TextField } from '../ui/fields.js';
import { bind } from '../ui/bind.js';
import { type ScriptForm } from './script-form.js';

export type ChangeScript = (changes: Partial<ScriptForm>) => void;

interface HowFieldsProps {
  readonly form: ScriptForm;
  readonly change: ChangeScript;
  readonly at: (path: string) => string | undefined;
}

const SECONDS = { isInteger: true, min: 1 } as const;

/** How vehicles install the update: consent, preconditions, window, behaviour on failure. */
export function HowFields({ form, change, at }: HowFieldsProps) {
  const bound = bind(form, change, at);
  return (
    <>
      <TextArea
        label="Question to the driver"
        {...bound('consent', '/consent/text')}
        rows={2}
        help="Leave empty to install without asking."
      />
      <div className="form-grid">
        <NumberField
          label="Answer within, seconds"
          rule={SECONDS}
          {...bound('consentTimeout', '/consent/timeout')}
        />
        <NumberField
          label="Minimum battery charge, percent"
          rule={{ min: 0, max: 100 }}
          {...bound('battery', '/preconditions/battery')}
        />
        <SelectField label="Gear" {...bound('gear')} options={optionsWithAny('park')} />
        <SelectField
          label="Ignition"
          {...bound('ignition')}
          options={optionsWithAny('on', 'off')}
        />
        <NumberField
          label="Wait for these, seconds"
          rule={SECONDS}
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
        label="Roll back if the new software fails to start"
        checked={form.rollback}
        onChange={(rollback) => change({ rollback })}
      />
      <CheckField
        label="Allow a version older than the installed one"
        checked={form.downgrade}
        onChange={(downgrade) => change({ downgrade })}
      />
    </>
  );
}

const optionsWithAny = (...values: readonly string[]) => [
  { value: '', label: 'any' },
  ...values.map((value) => ({ value, label: value })),
];
