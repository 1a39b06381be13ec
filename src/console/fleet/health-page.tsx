import {
  type AdapterHealth,
  type Health,
  healthApi,
  type Receiver,
} from '../../contract/adapter-api/index.js';
import { useApi } from '../api/use-query.js';
import { bytes, count, duration, percent, rate } from '../format/numbers.js';
import { Answered, Empty } from '../ui/notes.js';
import { Card, Figures, Page } from '../ui/page.js';
import { type Column, Table } from '../ui/table.js';
import { Time } from '../ui/time.js';

export function HealthPage() {
  const answer = useApi(healthApi.getHealth, {}, { topics: ['health'] });
  return (
    <Page title="Health">
      <Answered answer={answer} lines={10}>
        {(health) => <HealthDetails health={health} />}
      </Answered>
    </Page>
  );
}

function HealthDetails({ health }: { health: Health }) {
  const { database, messages, sending, adapters, callbacks } = health;
  return (
    <>
      <Figures
        items={[
          { label: 'Received', value: count(messages.received), note: 'messages in total' },
          { label: 'Applied', value: count(messages.applied) },
          {
            label: 'Duplicates',
            value: count(messages.duplicates),
            note: percent(messages.duplicates, messages.received),
          },
          { label: 'Dead letters', value: count(messages.deadLetters) },
          {
            label: 'Overdue triggers',
            value: sending.overdueSeconds > 0 ? duration(sending.overdueSeconds) : 'none',
            note: 'age of the oldest',
          },
          {
            label: 'Global rate limit',
            value:
              sending.triggersPerSecond === null ? 'none' : `${rate(sending.triggersPerSecond)}/s`,
            note: 'triggers',
          },
        ]}
      />
      <div className="cards">
        <Card title="Adapters and their brokers" wide>
          <Table
            label="Adapters"
            columns={ADAPTERS}
            items={adapters}
            keyOf={({ instance }) => instance}
            empty={<Empty title="No adapter has reported yet." />}
          />
        </Card>
        <Card title="Database">
          <dl className="facts">
            <dt>Server</dt>
            <dd>{database.server}</dd>
            <dt>Size</dt>
            <dd>{bytes(database.bytes)}</dd>
            <dt>Answers within</dt>
            <dd>{duration(database.answeredIn / 1000)}</dd>
          </dl>
        </Card>
        <Card title="Call-back receivers" wide>
          <Table
            label="Call-back receivers"
            columns={RECEIVERS}
            items={callbacks}
            keyOf={({ id }) => id}
            empty={
              <Empty title="No receivers.">
                <p>
                  Add one with <code>otaops callbacks add</code>, or pull events from{' '}
                  <code>/v1.0/ota/events</code>.
                </p>
              </Empty>
            }
          />
        </Card>
      </div>
    </>
  );
}

function Sign({ isGood, good, bad }: { isGood: boolean; good: string; bad: string }) {
  return <span className={`status status-${isGood ? 'good' : 'bad'}`}>{isGood ? good : bad}</span>;
}

const ADAPTERS: readonly Column<AdapterHealth>[] = [
  {
    title: 'Adapter',
    cell: ({ instance, version }) => (
      <>
        {instance}
        <small>{version}</small>
      </>
    ),
  },
  { title: 'Status', cell: ({ alive }) => <Sign isGood={alive} good="alive" bad="silent" /> },
  {
    title: 'Broker',
    cell: ({ broker, connected, subscribed }) => (
      <>
        <Sign isGood={connected} good="connected" bad="away" />
        <small>{broker}</small>
        {subscribed && <small>receiving</small>}
      </>
    ),
  },
  { title: 'Received/s', isNumber: true, cell: ({ receivedPerSecond }) => rate(receivedPerSecond) },
  {
    title: 'Triggers/s',
    isNumber: true,
    cell: ({ triggeredPerSecond }) => rate(triggeredPerSecond),
  },
  {
    title: 'Queued',
    isNumber: true,
    isMinor: true,
    cell: ({ queued }) => count(queued),
  },
  { title: 'Since', isMinor: true, cell: ({ startedAt }) => <Time at={startedAt} /> },
  { title: 'Last seen', isMinor: true, cell: ({ seenAt }) => <Time at={seenAt} style="time" /> },
];

const RECEIVERS: readonly Column<Receiver>[] = [
  {
    title: 'Receiver',
    cell: ({ name, url }) => (
      <>
        {name}
        <small>{url}</small>
      </>
    ),
  },
  {
    title: 'Status',
    cell: ({ enabled, failures }) =>
      enabled ? (
        <Sign isGood={failures === 0} good="delivering" bad="failing" />
      ) : (
        <span className="status status-calm">switched off</span>
      ),
  },
  {
    title: 'Behind',
    isNumber: true,
    cell: ({ behind, behindSince }) => (
      <>
        {count(behind)}
        {behindSince !== null && (
          <small>
            since <Time at={behindSince} style="time" />
          </small>
        )}
      </>
    ),
  },
  {
    title: 'Last failure',
    cell: ({ failure, failedAt, nextTryAt }) =>
      failure !== null && (
        <>
          {failure}
          <small>
            <Time at={failedAt} />, next try <Time at={nextTryAt} style="time" />
          </small>
        </>
      ),
  },
  { title: 'Last delivery', isMinor: true, cell: ({ deliveredAt }) => <Time at={deliveredAt} /> },
];
