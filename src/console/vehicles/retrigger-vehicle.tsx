import { controlApi, type VehicleInOperation } from '../../contract/adapter-api/index.js';
import { client } from '../api/client.js';
import { useRefetch } from '../api/use-query.js';
import { useMay } from '../app/session.js';
import { isFinished } from '../states/groups.js';
import { Confirm, withReason } from '../ui/confirm.js';

export function RetriggerVehicle({ vehicle }: { vehicle: VehicleInOperation }) {
  const refetch = useRefetch();
  const { vin, 'ref-id': refId, state, attempt } = vehicle;
  const act = async (reason: string) => {
    await client.call(controlApi.retriggerVehicle, {
      params: { 'ref-id': refId, vin },
      body: withReason(reason),
    });
    await refetch(`vehicle:${vin}`);
  };
  if (!useMay('control')) return null;
  return (
    <Confirm label="Retrigger" isSmall title={`Retrigger ${vin} in ${refId}?`} act={act}>
      <ul>
        <li>1 vehicle gets a new trigger: attempt {attempt + 1}.</li>
        {!isFinished(state) && (
          <li>It is {state} and has not finished: the current attempt no longer counts.</li>
        )}
      </ul>
    </Confirm>
  );
}
