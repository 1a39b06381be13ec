import { RETRIED_STATES } from '../../../contract/states/index.js';
import { type NumberRule } from '../../format/number-text.js';
import { NumberField, SelectField, TextField } from '../../ui/fields.js';
import { type RetryForm } from '../plan-form.js';
import { type StepProps } from './step.js';

const POSITIVE: NumberRule = { isInteger: true, min: 1 };
const EMPTY: RetryForm = { state: 'download_fail', reason: '', after: '3600', times: '3' };

/** Which failures are retried. */
export function RetryFields({ form, set, at }: Omit<StepProps, 'preview'>) {
  const change = (place: number, changes: Partial<RetryForm>) =>
    set({ retry: form.retry.map((rule, i) => (i === place ? { ...rule, ...changes } : rule)) });
  return (
    <>
      {form.retry.map((rule, place) => (
        <fieldset key={place} className="row">
          <legend>Retry {place + 1}</legend>
          <SelectField
            label="Failure"
            value={rule.state}
            onChange={(state) => change(place, { state: state as RetryForm['state'] })}
            error={at(`/retry/${place}/state`)}
            options={RETRIED_STATES.map((state) => ({ value: state, label: state }))}
          />
          <TextField
            label="Reason"
            value={rule.reason}
            onChange={(reason) => change(place, { reason })}
            help="* is any text, ? any character. Leave empty for every reason."
            error={at(`/retry/${place}/reason`)}
          />
          <NumberField
            label="Pause, seconds"
            rule={POSITIVE}
            value={rule.after}
            onChange={(after) => change(place, { after })}
            error={at(`/retry/${place}/after`)}
          />
          <NumberField
            label="Maximum retries"
            rule={POSITIVE}
            value={rule.times}
            onChange={(times) => change(place, { times })}
            error={at(`/retry/${place}/times`)}
          />
          <button
            type="button"
            onClick={() => set({ retry: form.retry.filter((_, i) => i !== place) })}
          >
            Remove retry {place + 1}
          </button>
        </fieldset>
      ))}
      {at('/retry') !== undefined && <p className="fault">{at('/retry')}</p>}
      <button type="button" onClick={() => set({ retry: [...form.retry, EMPTY] })}>
        Retry failed vehicles
      </button>
    </>
  );
}
