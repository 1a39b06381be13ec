import { Link } from 'wouter';
import { type Operation } from '../../contract/adapter-api/index.js';
import { tableAt } from '../app/address.js';
import { useMay } from '../app/session.js';
import { count, percent } from '../format/numbers.js';
import { inOrder } from '../states/groups.js';
import { Empty } from '../ui/notes.js';
import { Card } from '../ui/page.js';
import { State } from '../ui/state.js';
import { Table } from '../ui/table.js';
import { RetriggerState } from './actions.js';

/** The states of the operation's vehicles: their number, a link to them, and retrigger. */
export function StatesCard({ operation }: { operation: Operation }) {
  const { 'ref-id': refId, vehicles, status, paused } = operation;
  const mayControl = useMay('control') && status !== 'cancelled';
  return (
    <Card title="Vehicles by state" note={paused > 0 && `${count(paused)} of them paused`}>
      <Table
        label="Vehicles by state"
        columns={[
          {
            title: 'State',
            cell: ([state]) => (
              <Link href={tableAt(refId, { state })}>
                <State state={state} />
              </Link>
            ),
          },
          { title: 'Vehicles', isNumber: true, cell: ([, n]) => count(n) },
          { title: 'Share', isNumber: true, cell: ([, n]) => percent(n, vehicles) },
          ...(mayControl
            ? [
                {
                  title: 'New attempt',
                  cell: ([state, n]: [string, number]) =>
                    state !== 'pending' && (
                      <RetriggerState operation={operation} state={state} vehicles={n} />
                    ),
                },
              ]
            : []),
        ]}
        items={inOrder(operation.states)}
        keyOf={([state]) => state}
        empty={<Empty title="No vehicles." />}
      />
    </Card>
  );
}
