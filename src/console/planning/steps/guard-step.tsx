import { bind } from '../../ui/bind.js';
import { CheckField, SelectField, TextField } from '../../ui/fields.js';
import { type PlanForm } from '../plan-form.js';
import { type StepProps } from './step.js';

const PERCENTS = [
  ['tolerated', 'Failures that are no reason to stop, percent'],
  ['intolerable', 'Failures that must be stopped, percent'],
  ['falseStop', 'Stops wrongly in, percent'],
  ['missedStop', 'Misses a stop in, percent'],
] as const;

const NUMBERS: readonly (readonly [
  'maxFailures' | 'maxRollbackFailures' | 'patience' | 'priority' | 'perSecond',
  string,
  string,
  string,
])[] = [
  [
    'maxFailures',
    'Failures at most',
    '/guard/maxFailures',
    'Stops above it, whatever the test says.',
  ],
  [
    'maxRollbackFailures',
    'Failed rollbacks at most',
    '/guard/maxRollbackFailures',
    'Vehicles that run neither software.',
  ],
  ['patience', 'Waits for a wave, seconds', '/guard/patience', 'Then it decides by what it knows.'],
  [
    'priority',
    'Priority, −10 to 10',
    '/dispatch/priority',
    'Of its triggers among those of others.',
  ],
  ['perSecond', 'Triggers a second', '/dispatch/rate', 'Empty: as fast as it goes.'],
];

export function GuardStep({ form, set, at }: StepProps) {
  const bound = bind(form, set, at);
  return (
    <>
      <CheckField
        label="Test the failure rate after each vehicle, and stop as soon as it is too high"
        checked={form.isTested}
        onChange={(isTested) => set({ isTested })}
      />
      {form.isTested && (
        <div className="form-grid">
          {PERCENTS.map(([name, label]) => (
            <TextField
              key={name}
              label={label}
              type="number"
              step="any"
              {...bound(name, `/guard/test/${name}`)}
            />
          ))}
        </div>
      )}
      <SelectField
        label="Where a wave has ended and the test is undecided"
        value={form.undecided}
        onChange={(value) => set({ undecided: value as PlanForm['undecided'] })}
        error={at('/guard/undecided')}
        options={[
          { value: '', label: 'as is usual: a person decides' },
          { value: 'hold', label: 'a person decides' },
          { value: 'continue', label: 'go on' },
        ]}
      />
      <div className="form-grid">
        {NUMBERS.map(([name, label, path, help]) => (
          <TextField
            key={name}
            label={label}
            type="number"
            step="any"
            {...bound(name, path)}
            help={help}
          />
        ))}
      </div>
    </>
  );
}
