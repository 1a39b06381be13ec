import { type ScheduleVehicle } from '../../contract/carota-api/index.js';
import { count } from '../format/numbers.js';
import { Time } from '../ui/time.js';
import { resultByTime } from './result-by-time.js';

/** The guard's result for a vehicle, and the result that is due. */
export function Outlook({
  vehicle,
}: {
  vehicle: Pick<
    ScheduleVehicle,
    'state' | 'result' | 'decidesAt' | 'silentAt' | 'retryAt' | 'tries'
  >;
}) {
  const { state, result, decidesAt, silentAt, retryAt, tries } = vehicle;
  return (
    <>
      {result}
      {retryAt !== null && (
        <small>
          retry {count(tries + 1)} <Time at={retryAt} />
        </small>
      )}
      {retryAt === null && tries > 0 && (
        <small>{tries === 1 ? 'retried once' : `retried ${count(tries)} times`}</small>
      )}
      {result === 'silent' && silentAt !== null && (
        <small>
          counted as silent <Time at={silentAt} />
        </small>
      )}
      {decidesAt !== null && (
        <small>
          will count as {resultByTime(state)} <Time at={decidesAt} />
        </small>
      )}
    </>
  );
}
