import { ZONE } from '../../format/times.js';
import { NumberField, SelectField, TextField } from '../../ui/fields.js';
import { type WaveForm, type WindowForm } from '../plan-form.js';
import { type StepProps } from './step.js';

export function WavesStep({ form, set, at }: StepProps) {
  const setWave = (place: number, change: Partial<WaveForm>) =>
    set({ waves: form.waves.map((wave, i) => (i === place ? { ...wave, ...change } : wave)) });
  const setWindow = (place: number, change: Partial<WindowForm>) =>
    set({ windows: form.windows.map((one, i) => (i === place ? { ...one, ...change } : one)) });
  return (
    <>
      <p className="muted">Remaining vehicles form a final wave.</p>
      {form.waves.map((wave, place) => (
        <fieldset key={place} className="row">
          <legend>Wave {place + 1}</legend>
          <SelectField
            label="Size in"
            value={wave.kind}
            onChange={(kind) => setWave(place, { kind: kind as WaveForm['kind'] })}
            options={[
              { value: 'percent', label: 'percent of all vehicles' },
              { value: 'vehicles', label: 'number of vehicles' },
              { value: 'vins', label: 'named VINs' },
            ]}
          />
          <WaveSize
            wave={wave}
            onChange={(value) => setWave(place, { value })}
            error={at(`/waves/${place}`)}
          />
          <button
            type="button"
            onClick={() => set({ waves: form.waves.filter((_, i) => i !== place) })}
          >
            Remove wave {place + 1}
          </button>
        </fieldset>
      ))}
      <button
        type="button"
        onClick={() => set({ waves: [...form.waves, { kind: 'percent', value: '' }] })}
      >
        Add a wave
      </button>
      <div className="form-grid">
        <TextField
          label={`Start, ${ZONE}`}
          type="datetime-local"
          value={form.start}
          onChange={(start) => set({ start })}
          help="Leave empty to start at once."
          error={at('/start')}
        />
        <TextField
          label={`Latest wave start, ${ZONE}`}
          type="datetime-local"
          value={form.stop}
          onChange={(stop) => set({ stop })}
          error={at('/stop')}
        />
        <NumberField
          label="Seconds between waves"
          rule={{ isInteger: true, min: 0 }}
          value={form.pause}
          onChange={(pause) => set({ pause })}
          error={at('/pause')}
        />
      </div>
      {form.windows.map((window, place) => (
        <fieldset key={place} className="row">
          <legend>Window {place + 1}</legend>
          <TextField
            label="From"
            type="time"
            value={window.from}
            onChange={(from) => setWindow(place, { from })}
            error={at(`/windows/${place}/from`)}
          />
          <TextField
            label="to"
            type="time"
            value={window.to}
            onChange={(to) => setWindow(place, { to })}
            error={at(`/windows/${place}/to`)}
          />
          <button
            type="button"
            onClick={() => set({ windows: form.windows.filter((_, i) => i !== place) })}
          >
            Remove window {place + 1}
          </button>
        </fieldset>
      ))}
      <button
        type="button"
        onClick={() => set({ windows: [...form.windows, { from: '22:00', to: '05:00' }] })}
      >
        Add a window in which waves may start
      </button>
      {form.windows.length > 0 && (
        <TextField
          label="Time zone of the windows"
          value={form.timeZone}
          onChange={(timeZone) => set({ timeZone })}
          error={at('/timeZone')}
        />
      )}
    </>
  );
}

interface WaveSizeProps {
  readonly wave: WaveForm;
  readonly onChange: (value: string) => void;
  readonly error: string | undefined;
}

function WaveSize({ wave: { kind, value }, ...field }: WaveSizeProps) {
  if (kind === 'vins') return <TextField label="VINs" value={value} {...field} />;
  const isPercent = kind === 'percent';
  return (
    <NumberField
      label={isPercent ? 'Percent' : 'Vehicles'}
      rule={isPercent ? { above: 0, max: 100 } : { isInteger: true, min: 1 }}
      value={value}
      {...field}
    />
  );
}
