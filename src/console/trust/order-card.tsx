import { Link } from 'wouter';
import { type VehicleEcus } from '../../contract/carota-api/index.js';
import { scheduleAt, scriptAt } from '../app/address.js';
import { Card } from '../ui/page.js';
import { Table } from '../ui/table.js';
import { Time } from '../ui/time.js';

/** The Director's current order for the vehicle, and its signed metadata. */
export function OrderCard({ vehicle: { order, metadata } }: { vehicle: VehicleEcus }) {
  return (
    <Card title="Order">
      {order ? (
        <>
          {order.blocked !== null && <p className="note">Not ordered: {order.blocked}</p>}
          <dl className="facts">
            <dt>Schedule</dt>
            <dd>
              <Link href={scheduleAt(order['ref-id'])}>{order['ref-id']}</Link>
            </dd>
            <dt>Update script</dt>
            <dd>
              <Link href={scriptAt(order['script-ref-id'])}>{order['script-ref-id']}</Link>
            </dd>
            {order.later.length > 0 && (
              <>
                <dt>Next</dt>
                <dd>{order.later.join(', ')}</dd>
              </>
            )}
          </dl>
        </>
      ) : (
        <p className="muted">No update due: no running schedule has one for this vehicle.</p>
      )}
      <Table
        label="Signed for this vehicle"
        columns={[
          { title: 'Role', cell: ([role]) => role },
          { title: 'Version', isNumber: true, cell: ([, { version }]) => version },
          { title: 'Expires', cell: ([, { expires }]) => <Time at={expires} /> },
        ]}
        items={Object.entries(metadata ?? {})}
        keyOf={([role]) => role}
        empty={
          <p className="muted">Nothing signed yet: the vehicle has not contacted the Director.</p>
        }
      />
    </Card>
  );
}
