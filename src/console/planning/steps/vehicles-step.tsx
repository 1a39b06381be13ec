import { vehicles } from '../../format/numbers.js';
import { SelectField, TextArea, TextField } from '../../ui/fields.js';
import { type StepProps } from './step.js';

export function VehiclesStep({ form, set, at, preview }: StepProps) {
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
            value={form.tags}
            onChange={(value) => set({ tags: value })}
            placeholder="germany, taxi"
            help="Leave empty for any tags."
            error={at('/filter/tags')}
          />
          <TextField
            label="ECU"
            value={form.ecu}
            onChange={(value) => set({ ecu: value })}
            placeholder="HU"
            error={at('/filter/ecu')}
          />
          <TextField
            label="runs one of the versions"
            value={form.versions}
            onChange={(value) => set({ versions: value })}
            placeholder="1.3.*, 1.4.0"
            error={at('/filter/versions')}
          />
        </div>
      ) : (
        <TextArea
          label="VINs, between blanks, commas or lines"
          value={form.vins}
          onChange={(value) => set({ vins: value })}
          rows={8}
          error={at('/vins')}
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
