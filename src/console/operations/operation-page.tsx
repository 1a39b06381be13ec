import { Link } from 'wouter';
import { type Operation, operationApi, type Sample } from '../../contract/adapter-api/index.js';
import { fromStart } from '../charts/samples.js';
import { useApi } from '../api/use-query.js';
import { tableAt, usePathPart } from '../app/address.js';
import { StatesOverTime } from '../charts/states-over-time.js';
import { Throughput } from '../charts/throughput.js';
import { count, percent, rate } from '../format/numbers.js';
import { Legend, StateBar } from '../ui/bar.js';
import { Answered, Empty } from '../ui/notes.js';
import { Card, Figures, Page } from '../ui/page.js';
import { Status } from '../ui/state.js';
import { Time } from '../ui/time.js';
import { Actions } from './actions.js';
import { AuditCard } from './audit-card.js';
import { StatesCard } from './states-card.js';
import { SummaryCards } from './summary-cards.js';

export function OperationPage() {
  const refId = usePathPart(1);
  const topics = [`operation:${refId}`];
  const answer = useApi(operationApi.getOperation, { params: { 'ref-id': refId } }, { topics });
  return (
    <Page
      title={refId}
      beside={answer.data && <Status status={answer.data.status} />}
      actions={answer.data && <Actions operation={answer.data} />}
    >
      <Answered answer={answer} lines={12}>
        {(operation) => <OperationDetails operation={operation} topics={topics} />}
      </Answered>
    </Page>
  );
}

function OperationDetails({
  operation,
  topics,
}: {
  operation: Operation;
  topics: readonly string[];
}) {
  const { 'ref-id': refId, states, vehicles, succeeded, failed, finished, open } = operation;
  return (
    <>
      <p className="muted">
        {operation['script-ref-id']} for {operation.model}, started{' '}
        <Time at={operation.createdAt} />. Priority {operation.priority}
        {operation.rate
          ? `, ${rate(operation.rate.perSecond)} triggers per second${operation.rate.factor === undefined ? '' : ', growing'}`
          : ', no rate set'}
        . <Link href={tableAt(refId)}>All {count(vehicles)} vehicles</Link>
      </p>
      <Figures
        items={[
          { label: 'Vehicles', value: count(vehicles) },
          { label: 'Finished', value: count(finished), note: percent(finished, vehicles) },
          { label: 'Succeeded', value: count(succeeded), note: percent(succeeded, finished) },
          { label: 'Failed', value: count(failed), note: percent(failed, finished) },
          { label: 'Open', value: count(open), note: percent(open, vehicles) },
          {
            label: 'Finished per minute',
            value: rate(operation.finishedPerMinute),
            note: 'last 5 minutes',
          },
        ]}
      />
      <div className="big-bar">
        <StateBar states={states} vehicles={vehicles} />
        <Legend states={states} />
      </div>
      <div className="cards">
        <OverTime operation={operation} />
        <SummaryCards operation={operation} topics={topics} />
        <StatesCard operation={operation} />
        <AuditCard refId={refId} />
      </div>
    </>
  );
}

function OverTime({ operation }: { operation: Operation }) {
  const refId = operation['ref-id'];
  const topics = [`samples:${refId}`];
  const answer = useApi(operationApi.listSamples, { params: { 'ref-id': refId } }, { topics });
  const drawn = (draw: (samples: readonly Sample[]) => React.ReactNode) => (
    <div className="plot-frame">
      <Answered answer={answer} lines={6}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Not enough data yet.">
              <p>Samples are taken every two seconds while counts change.</p>
            </Empty>
          ) : (
            draw(fromStart(items, operation.createdAt))
          )
        }
      </Answered>
    </div>
  );
  return (
    <>
      <Card title="States over time" wide>
        {drawn((samples) => (
          <StatesOverTime samples={samples} />
        ))}
      </Card>
      <Card title="Throughput" note="per minute" wide>
        {drawn((samples) => (
          <Throughput samples={samples} />
        ))}
      </Card>
    </>
  );
}
