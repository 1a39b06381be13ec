/** An operator's actions on an operation; each shows in numbers what will happen. */
import { type Operation } from '../../contract/adapter-api/index.js';
import { useMay } from '../app/session.js';
import { count, vehicles } from '../format/numbers.js';
import { isFinished } from '../states/groups.js';
import { Confirm } from '../ui/confirm.js';
import { ChangeDispatch } from './change-dispatch.js';
import { useOperationActions } from './use-operation-actions.js';
import { sendingTime, sendingTimeAfterRetrigger, standingOf } from './numbers.js';

export function Actions({ operation }: { operation: Operation }) {
  const mayControl = useMay('control');
  if (!mayControl || operation.status === 'cancelled') return null;
  return (
    <>
      {operation.status === 'paused' ? (
        <Resume operation={operation} />
      ) : (
        <Pause operation={operation} />
      )}
      <ChangeDispatch operation={operation} />
      <Cancel operation={operation} />
    </>
  );
}

function Pause({ operation }: { operation: Operation }) {
  const { pause } = useOperationActions(operation);
  const { waiting, unacknowledged, inProgress } = standingOf(operation);
  return (
    <Confirm label="Pause" title={`Pause ${operation['ref-id']}?`} act={pause}>
      <ul>
        <li>{vehicles(waiting)} will not get a trigger until you resume.</li>
        <li>
          {vehicles(unacknowledged)} without an acknowledgement will not get the trigger again until
          then.
        </li>
        <li>
          {vehicles(inProgress)} in progress will continue: a vehicle with a trigger is not stopped.
        </li>
      </ul>
    </Confirm>
  );
}

function Resume({ operation }: { operation: Operation }) {
  const { resume } = useOperationActions(operation);
  const { unacknowledged } = standingOf(operation);
  return (
    <Confirm label="Resume" title={`Resume ${operation['ref-id']}?`} isPrimary act={resume}>
      <ul>
        <li>{sendingTime(operation)}</li>
        <li>{vehicles(unacknowledged)} without an acknowledgement will get the trigger again.</li>
      </ul>
    </Confirm>
  );
}

function Cancel({ operation }: { operation: Operation }) {
  const { cancel } = useOperationActions(operation);
  const { waiting, unacknowledged, inProgress, finished } = standingOf(operation);
  return (
    <Confirm
      label="Cancel operation"
      dismissLabel="Keep running"
      title={`Cancel ${operation['ref-id']} permanently?`}
      isDangerous
      act={cancel}
    >
      <ul>
        <li>{vehicles(waiting)} will never get a trigger.</li>
        <li>
          {vehicles(unacknowledged + inProgress)} already triggered may still update; their events
          are still recorded.
        </li>
        <li>{vehicles(finished)} already finished will not change.</li>
        <li>This cannot be undone.</li>
      </ul>
    </Confirm>
  );
}

export function RetriggerState({
  operation,
  state,
  vehicles: n,
}: {
  operation: Operation;
  state: string;
  vehicles: number;
}) {
  const { retrigger } = useOperationActions(operation);
  return (
    <Confirm
      label="Retrigger"
      isSmall
      title={`Retrigger ${vehicles(n)} in ${state}?`}
      act={retrigger(state)}
    >
      <ul>
        <li>
          {vehicles(n)} {n === 1 ? 'gets' : 'get'} a new trigger, and {n === 1 ? 'starts' : 'start'}{' '}
          again from pending.
        </li>
        {!isFinished(state) && (
          <li>
            {n === 1 ? 'It has' : 'They have'} not finished: the current attempt no longer counts.
          </li>
        )}
        <li>{sendingTimeAfterRetrigger(state, operation)}</li>
        {operation.status === 'paused' && (
          <li>The operation is paused: the triggers are sent once you resume it.</li>
        )}
        <li>
          Now {count(operation.finished)} of {vehicles(operation.vehicles)} have finished.
        </li>
      </ul>
    </Confirm>
  );
}
