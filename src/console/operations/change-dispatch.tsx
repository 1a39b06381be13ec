import { useState } from 'react';
import { currentRate, type Operation } from '../../contract/adapter-api/index.js';
import { rate as rateText } from '../format/numbers.js';
import { notified } from '../states/groups.js';
import { bind } from '../ui/bind.js';
import { Confirm } from '../ui/confirm.js';
import { NumberField, SelectField } from '../ui/fields.js';
import {
  DISPATCH_RULES,
  dispatchFaults,
  type DispatchForm,
  dispatchFormOf,
  dispatchOf,
} from './dispatch-form.js';
import { sendingTimeAt } from './numbers.js';
import { useOperationActions } from './use-operation-actions.js';

export function ChangeDispatch({ operation }: { operation: Operation }) {
  const { change } = useOperationActions(operation);
  const [form, setForm] = useState<DispatchForm>();
  const shown = form ?? dispatchFormOf(operation);
  const set = (changes: Partial<DispatchForm>) => setForm({ ...shown, ...changes });
  const dispatch = dispatchOf(shown);
  return (
    <Confirm
      label="Rate and priority"
      confirmLabel="Save changes"
      title={`Rate and priority of ${operation['ref-id']}`}
      isReady={dispatch !== undefined && form !== undefined}
      onDone={() => setForm(undefined)}
      act={(reason) => change(dispatch ?? {})(reason)}
    >
      <DispatchFields form={shown} set={set} />
      {dispatch && <Consequences operation={operation} rate={dispatch.rate} />}
    </Confirm>
  );
}

function DispatchFields({
  form,
  set,
}: {
  form: DispatchForm;
  set: (changes: Partial<DispatchForm>) => void;
}) {
  const bound = bind(form, set);
  const faults = dispatchFaults(form);
  const number = (name: keyof typeof DISPATCH_RULES) => ({
    ...bound(name),
    rule: DISPATCH_RULES[name],
    error: faults[name],
  });
  return (
    <div className="form-grid">
      <NumberField
        label="Priority, −10 to 10"
        {...number('priority')}
        help="Each step doubles its share while several operations send."
      />
      <SelectField
        label="Sending rate"
        {...bound('limit')}
        options={[
          { value: 'none', label: 'no limit' },
          { value: 'rate', label: 'limited' },
        ]}
      />
      {form.limit === 'rate' && (
        <>
          <NumberField label="Triggers per second" {...number('perSecond')} />
          <NumberField
            label="Growth factor"
            {...number('factor')}
            help="Leave empty to keep the rate constant."
          />
          <NumberField label="Vehicles per step" {...number('after')} />
          <SelectField
            label="Counted when"
            {...bound('of')}
            options={[
              { value: 'notified', label: 'their trigger was sent' },
              { value: 'succeeded', label: 'they have succeeded' },
            ]}
          />
          <NumberField
            label="Maximum per second"
            {...number('atMost')}
            help="Leave empty for no cap."
          />
        </>
      )}
    </div>
  );
}

function Consequences({ operation, rate }: { operation: Operation; rate: Operation['rate'] }) {
  const reached = { notified: notified(operation.states), succeeded: operation.succeeded };
  const perSecond = rate ? currentRate(rate, reached) : null;
  return (
    <ul>
      <li>
        {perSecond === null
          ? 'No rate limit for this operation.'
          : `Current effective rate: ${rateText(perSecond)}/s.`}
      </li>
      <li>{sendingTimeAt(rate, operation)}</li>
      <li>Triggers already sent are not affected.</li>
    </ul>
  );
}
