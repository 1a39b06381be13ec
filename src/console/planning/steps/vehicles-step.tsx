import { vehicles } from '../../format/numbers.js';
import { bind } from '../../ui/bind.js';
import { SelectField, TextArea, TextField } from '../../ui/fields.js';
import { type StepProps } from './step.js';

export function VehiclesStep({ form, set, at, preview }: StepProps) {
  const bound = bind(form, set, at);
  return (
    <>
      <SelectField
        label="Which vehicles"
        value={form.choice}
        onChange={(value) => set({ choice: value as 'filter' | 'vins' })}
        options={[
          { value: 'filter', label: 'all matching vehicles of the model when it starts' },
          { value: 'vins', label: 'named vehicles' },
        ]}
      />
      {form.choice === 'filter' ? (
        <div className="form-grid">
          <TextField
            label="Tags, all of them"
            {...bound('tags', '/filter/tags')}
            placeholder="germany, taxi"
            help="Leave empty for any tags."
          />
          <TextField label="ECU" {...bound('ecu', '/filter/ecu')} placeholder="HU" />
          <TextField
            label="runs one of the versions"
            {...bound('versions', '/filter/versions')}
            placeholder="1.3.*, 1.4.0"
          />
        </div>
      ) : (
        <TextArea
          label="VINs, between blanks, commas or lines"
          {...bound('vins', '/vins')}
          rows={8}
        />
      )}
      {preview && (
        <p role="status">
          {vehicles(preview.vehicles)} now
          {preview.unknown > 0 && `, ${vehicles(preview.unknown)} of them unknown here`}.
        </p>
      )}
    </>
  );
}
