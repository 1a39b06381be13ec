import {
  controlApi,
  type Operation,
  type OperationChange,
} from '../../contract/adapter-api/index.js';
import { client } from '../api/client.js';
import { useRefetch } from '../api/use-query.js';
import { withReason } from '../ui/confirm.js';

/** Actions on an operation, each with a reason; afterwards the affected queries are refetched. */
export function useOperationActions(operation: Operation) {
  const refetch = useRefetch();
  const refId = operation['ref-id'];
  const params = { 'ref-id': refId };
  const done = () => refetch(`operation:${refId}`);
  const simply =
    (action: 'pauseOperation' | 'resumeOperation' | 'cancelOperation') => (reason: string) =>
      client.call(controlApi[action], { params, body: withReason(reason) }).then(done);
  return {
    pause: simply('pauseOperation'),
    resume: simply('resumeOperation'),
    cancel: simply('cancelOperation'),
    change: (changes: OperationChange) => (reason: string) =>
      client
        .call(controlApi.changeOperation, { params, body: withReason(reason, changes) })
        .then(done),
    retrigger: (state: string) => (reason: string) =>
      client
        .call(controlApi.retriggerVehicles, { params, body: withReason(reason, { state }) })
        .then(done),
  };
}
