import { type VehicleInOperation } from '../api/adapter.js';
import { at, send } from '../api/client.js';
import { useAskAgain } from '../api/use-query.js';
import { useMay } from '../app/session.js';
import { isFinished } from '../states/groups.js';
import { Confirm, withReason } from '../ui/confirm.js';

export function RetriggerVehicle({ vehicle }: { vehicle: VehicleInOperation }) {
  const askAgain = useAskAgain();
  const { vin, 'ref-id': refId, state, attempt } = vehicle;
  const act = async (reason: string) => {
    await send(
      'POST',
      at`/v1.0/ota/operations/${refId}/vehicles/${vin}/retrigger`,
      withReason(reason),
    );
    await askAgain(`vehicle:${vin}`);
  };
  if (!useMay('control')) return null;
  return (
    <Confirm label="Retrigger" isSmall title={`Retrigger ${vin} in ${refId}?`} act={act}>
      <ul>
        <li>1 vehicle gets a new trigger: attempt {attempt + 1}.</li>
        {!isFinished(state) && (
          <li>It is {state} and has not come to an end: what it is doing now no longer counts.</li>
        )}
      </ul>
    </Confirm>
  );
}
