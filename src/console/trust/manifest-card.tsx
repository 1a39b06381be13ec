import { ecuApi, type VehicleEcus } from '../../contract/carota-api/index.js';
import { useApi } from '../api/use-query.js';
import { count } from '../format/numbers.js';
import { Dialog } from '../ui/dialog.js';
import { Answered } from '../ui/notes.js';
import { Card } from '../ui/page.js';
import { Time } from '../ui/time.js';
import { faultOf } from './attacks.js';

interface ManifestCardProps {
  readonly vin: string;
  readonly vehicle: VehicleEcus;
}

/** The last manifest that was accepted, and the last one that was refused. */
export function ManifestCard({ vin, vehicle: { manifestAt, refused } }: ManifestCardProps) {
  return (
    <Card title="Manifest">
      <dl className="facts">
        <dt>Last accepted</dt>
        <dd>{manifestAt === null ? 'none yet' : <Time at={manifestAt} />}</dd>
        <dt>Last refused</dt>
        <dd>{refused ? <Time at={refused.at} /> : 'none'}</dd>
        {refused && (
          <>
            <dt>Why</dt>
            <dd>
              {faultOf(refused.fault)}
              {refused.serial !== null && `: ECU ${refused.serial}`}
              <small>{refused.message}</small>
            </dd>
            <dt>Refused so far</dt>
            <dd>{count(refused.count)}</dd>
          </>
        )}
      </dl>
      {manifestAt !== null && (
        <Dialog label="Show as received" title="Manifest as received" className="small">
          <Received vin={vin} />
        </Dialog>
      )}
    </Card>
  );
}

/** Fetched when opened. */
function Received({ vin }: { vin: string }) {
  const answer = useApi(ecuApi.getManifest, { params: { vin } });
  return (
    <Answered answer={answer}>
      {({ acceptedAt, manifest }) => (
        <>
          <p className="muted">
            Accepted <Time at={acceptedAt} />, with the signatures of every ECU.
          </p>
          <pre tabIndex={0}>{JSON.stringify(manifest, null, 2)}</pre>
        </>
      )}
    </Answered>
  );
}
