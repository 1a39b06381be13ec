import { type Operation } from '../api/adapter.js';
import { at, send } from '../api/client.js';
import { useAskAgain } from '../api/use-query.js';

/** Acts on an operation; what has changed by it is asked for at once. */
export function useOperationAction(operation: Operation) {
  const askAgain = useAskAgain();
  const refId = operation['ref-id'];
  return async (method: 'POST' | 'PATCH', action: string, body: object) => {
    await send(method, at`/v1.0/ota/operations/${refId}` + action, body);
    await askAgain(`operation:${refId}`);
  };
}
