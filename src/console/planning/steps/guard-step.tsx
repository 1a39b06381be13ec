import { MAX_PRIORITY, MAX_RATE, MIN_PRIORITY } from '../../../contract/adapter-api/index.js';
import { type NumberRule } from '../../format/number-text.js';
import { bind } from '../../ui/bind.js';
import { CheckField, NumberField, SelectField } from '../../ui/fields.js';
import { type PlanForm } from '../plan-form.js';
import { RetryFields } from './retry-fields.js';
import { type StepProps } from './step.js';

const PERCENT: NumberRule = { above: 0, max: 100 };
const VEHICLES: NumberRule = { isInteger: true, min: 1 };
const SECONDS = VEHICLES;

const PERCENTS = [
  ['tolerated', 'Tolerated failure rate (%)'],
  ['intolerable', 'Intolerable failure rate (%)'],
  ['falseStop', 'False-stop probability (%)'],
  ['missedStop', 'Missed-stop probability (%)'],
] as const;

interface NumberInput {
  readonly name:
    | 'maxFailures'
    | 'maxEarlyFailures'
    | 'maxRollbackFailures'
    | 'exposureCap'
    | 'deadline'
    | 'afterReboot'
    | 'soak'
    | 'patience'
    | 'priority'
    | 'perSecond';
  readonly label: string;
  readonly path: string;
  readonly help: string;
  readonly rule: NumberRule;
}

const NUMBERS: readonly NumberInput[] = [
  {
    name: 'maxFailures',
    label: 'Maximum failures',
    path: '/guard/maxFailures',
    help: 'This many failures stop the schedule, regardless of the test. Silence counts as failure.',
    rule: VEHICLES,
  },
  {
    name: 'maxRollbackFailures',
    label: 'Maximum failed rollbacks',
    path: '/guard/maxRollbackFailures',
    help: 'Vehicles that run neither the old nor the new software.',
    rule: VEHICLES,
  },
  {
    name: 'maxEarlyFailures',
    label: 'Maximum early failures',
    path: '/guard/maxEarlyFailures',
    help: 'Vehicles that fail before the download, because of the script or its signatures.',
    rule: VEHICLES,
  },
  {
    name: 'exposureCap',
    label: 'Exposure cap',
    path: '/guard/exposureCap',
    help: 'Initial number of vehicles that may update without a result; default 100. It grows with the evidence.',
    rule: VEHICLES,
  },
  {
    name: 'deadline',
    label: 'Deadline, seconds',
    path: '/guard/deadline',
    help: 'A vehicle without a result after this time is silent; default 7 days.',
    rule: SECONDS,
  },
  {
    name: 'afterReboot',
    label: 'Deadline after reboot, seconds',
    path: '/guard/afterReboot',
    help: 'A vehicle that does not report for this time is silent; default 1 hour.',
    rule: SECONDS,
  },
  {
    name: 'soak',
    label: 'Soak, seconds',
    path: '/guard/soak',
    help: 'Time after success during which a failure still counts; default 1 day.',
    rule: { isInteger: true, min: 0 },
  },
  {
    name: 'patience',
    label: 'Wait for a wave, seconds',
    path: '/guard/patience',
    help: 'After this time, a wave no longer waits for vehicles that have not started.',
    rule: SECONDS,
  },
  {
    name: 'priority',
    label: 'Priority, −10 to 10',
    path: '/dispatch/priority',
    help: 'Each step doubles its share while several operations send.',
    rule: { isInteger: true, min: MIN_PRIORITY, max: MAX_PRIORITY },
  },
  {
    name: 'perSecond',
    label: 'Triggers per second',
    path: '/dispatch/rate',
    help: 'Leave empty for no limit.',
    rule: { above: 0, max: MAX_RATE },
  },
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
            <NumberField
              key={name}
              label={label}
              rule={PERCENT}
              {...bound(name, `/guard/test/${name}`)}
            />
          ))}
        </div>
      )}
      <SelectField
        label="If a wave ends and the test is undecided"
        value={form.undecided}
        onChange={(value) => set({ undecided: value as PlanForm['undecided'] })}
        error={at('/guard/undecided')}
        options={[
          { value: '', label: 'Default: wait for a person' },
          { value: 'hold', label: 'wait for a person' },
          { value: 'continue', label: 'continue' },
        ]}
      />
      <div className="form-grid">
        {NUMBERS.map(({ name, label, path, help, rule }) => (
          <NumberField key={name} label={label} rule={rule} {...bound(name, path)} help={help} />
        ))}
      </div>
      <RetryFields form={form} set={set} at={at} />
    </>
  );
}
