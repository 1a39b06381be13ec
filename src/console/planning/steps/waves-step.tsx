import { ZONE } from '../../format/times.js';
import { bind } from '../../ui/bind.js';
import { NumberField, SelectField, TextField } from '../../ui/fields.js';
import { Rows } from '../../ui/rows.js';
import { type WaveForm, type WindowForm } from '../plan-form.js';
import { type StepProps } from './step.js';

export function WavesStep({ form, set, at }: StepProps) {
  const bound = bind(form, set, at);
  return (
    <>
      <p className="muted">Remaining vehicles form a final wave.</p>
      <Rows
        noun="wave"
        className="row"
        rows={form.waves}
        onChange={(waves) => set({ waves })}
        fresh={FRESH_WAVE}
        addLabel="Add a wave"
      >
        {(wave, change, place) => (
          <>
            <SelectField
              label="Size in"
              value={wave.kind}
              onChange={(kind) => change({ kind: kind as WaveForm['kind'] })}
              options={[
                { value: 'percent', label: 'percent of all vehicles' },
                { value: 'vehicles', label: 'number of vehicles' },
                { value: 'vins', label: 'named VINs' },
              ]}
            />
            <WaveSize
              wave={wave}
              onChange={(value) => change({ value })}
              error={at(`/waves/${place}`)}
            />
          </>
        )}
      </Rows>
      <div className="form-grid">
        <TextField
          label={`Start, ${ZONE}`}
          type="datetime-local"
          {...bound('start', '/start')}
          help="Leave empty to start at once."
        />
        <TextField
          label={`Latest wave start, ${ZONE}`}
          type="datetime-local"
          {...bound('stop', '/stop')}
        />
        <NumberField
          label="Seconds between waves"
          rule={{ isInteger: true, min: 0 }}
          {...bound('pause', '/pause')}
        />
      </div>
      <Rows
        noun="window"
        className="row"
        rows={form.windows}
        onChange={(windows) => set({ windows })}
        fresh={NIGHT}
        addLabel="Add a window in which waves may start"
      >
        {(window, change, place) => {
          const boundTo = bind(window, change, at);
          return (
            <>
              <TextField label="From" type="time" {...boundTo('from', `/windows/${place}/from`)} />
              <TextField label="to" type="time" {...boundTo('to', `/windows/${place}/to`)} />
            </>
          );
        }}
      </Rows>
      {form.windows.length > 0 && (
        <TextField label="Time zone of the windows" {...bound('timeZone', '/timeZone')} />
      )}
    </>
  );
}

const FRESH_WAVE: WaveForm = { kind: 'percent', value: '' };
const NIGHT: WindowForm = { from: '22:00', to: '05:00' };

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
