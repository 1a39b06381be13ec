import { useState } from 'react';
import { type Operation, type TriggerRate } from '../api/adapter.js';
import { rate as rateText } from '../format/numbers.js';
import { notified } from '../states/groups.js';
import { Confirm, withReason } from '../ui/confirm.js';
import { SelectField, TextField } from '../ui/fields.js';
import { bind } from '../ui/bind.js';
import { useOperationAction } from './use-operation-action.js';
import { rateNow, sendingTime } from './numbers.js';

/** The fields as they are typed. */
interface Form {
  readonly priority: string;
  readonly perSecond: string;
  readonly factor: string;
  readonly after: string;
  readonly of: string;
  readonly atMost: string;
}

const formOf = ({ priority, rate }: Operation): Form => ({
  priority: String(priority),
  perSecond: String(rate?.perSecond ?? ''),
  factor: String(rate?.factor ?? ''),
  after: String(rate?.after ?? ''),
  of: rate?.of ?? 'notified',
  atMost: String(rate?.atMost ?? ''),
});

/** null: no rate. undefined: what is typed is no rate. */
function rateOf({ perSecond, factor, after, of, atMost }: Form): TriggerRate | null | undefined {
  if (perSecond === '') return null;
  const numbers = [perSecond, factor, after, atMost].filter((text) => text !== '').map(Number);
  if (numbers.some((number) => !(number > 0)) || (factor === '') !== (after === ''))
    return undefined;
  return {
    perSecond: Number(perSecond),
    ...(factor === ''
      ? {}
      : { factor: Number(factor), after: Number(after), of: of as 'notified' | 'succeeded' }),
    ...(atMost === '' ? {} : { atMost: Number(atMost) }),
  };
}

export function ChangeDispatch({ operation }: { operation: Operation }) {
  const act = useOperationAction(operation);
  const [form, setForm] = useState<Form>();
  const shown = form ?? formOf(operation);
  const bound = bind(shown, (changes) => setForm({ ...shown, ...changes }));
  const rate = rateOf(shown);
  const priority = Number(shown.priority);
  const isReady =
    rate !== undefined && Number.isInteger(priority) && shown.priority !== '' && form !== undefined;
  const reached = { notified: notified(operation.states), succeeded: operation.succeeded };
  const perSecond = rate ? rateNow(rate, reached) : null;
  return (
    <Confirm
      label="Rate and priority"
      title={`Rate and priority of ${operation['ref-id']}`}
      isReady={isReady}
      onDone={() => setForm(undefined)}
      act={(reason) => act('PATCH', '', withReason(reason, { priority, rate }))}
    >
      <div className="form-grid">
        <TextField
          label="Priority, −10 to 10"
          type="number"
          min={-10}
          max={10}
          {...bound('priority')}
          help="Each step doubles its share while several operations send."
        />
        <TextField
          label="Triggers a second"
          type="number"
          min={0}
          step="any"
          {...bound('perSecond')}
          help="Empty: as fast as it goes."
        />
        <TextField
          label="Grows by factor"
          type="number"
          min={1}
          step="any"
          {...bound('factor')}
          help="Empty: it stays."
        />
        <TextField label="after so many vehicles" type="number" min={1} {...bound('after')} />
        <SelectField
          label="that"
          {...bound('of')}
          options={[
            { value: 'notified', label: 'were sent their trigger' },
            { value: 'succeeded', label: 'have succeeded' },
          ]}
        />
        <TextField
          label="At most a second"
          type="number"
          min={0}
          step="any"
          {...bound('atMost')}
          help="Empty: it grows on."
        />
      </div>
      {rate === undefined ? (
        <p className="fault">A rate is above 0; a factor goes with a number of vehicles.</p>
      ) : (
        <ul>
          <li>
            {perSecond === null
              ? 'No rate is set for this operation.'
              : `With what was reached, that is ${rateText(perSecond)} triggers a second now.`}
          </li>
          <li>{sendingTime(operation.states.pending ?? 0, perSecond)}</li>
          <li>What was sent already is not touched.</li>
        </ul>
      )}
    </Confirm>
  );
}
