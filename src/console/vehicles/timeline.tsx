import { insightApi, type TimelineEntry } from '../../contract/adapter-api/index.js';
import { useApi } from '../api/use-query.js';
import { duration } from '../format/numbers.js';
import { Answered, Empty } from '../ui/notes.js';
import { State } from '../ui/state.js';
import { Time } from '../ui/time.js';
import { RawMessage } from './raw-message.js';

interface TimelineProps {
  readonly refId: string;
  readonly vin: string;
  readonly topics: readonly string[];
}

/** A vehicle's timeline in an operation, with the adapter's and the vehicle's time. */
export function Timeline({ refId, vin, topics }: TimelineProps) {
  const params = { 'ref-id': refId, vin };
  const answer = useApi(insightApi.getTimeline, { params }, { topics });
  return (
    <Answered answer={answer} lines={6}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty title="Nothing has happened yet." />
        ) : (
          <div
            className="table-frame"
            role="region"
            aria-label={`Timeline of ${refId}`}
            tabIndex={0}
          >
            <table className="timeline">
              <thead>
                <tr>
                  <th scope="col">Adapter’s time</th>
                  <th scope="col">Vehicle’s time</th>
                  <th scope="col" className="minor">
                    Attempt
                  </th>
                  <th scope="col">What</th>
                  <th scope="col">Details</th>
                  <th scope="col" className="minor">
                    Receivers
                  </th>
                  <th scope="col">Raw</th>
                </tr>
              </thead>
              <tbody>
                {items.map((entry, place) => (
                  <Entry key={place} entry={entry} refId={refId} vin={vin} />
                ))}
              </tbody>
            </table>
          </div>
        )
      }
    </Answered>
  );
}

interface EntryProps {
  readonly entry: TimelineEntry;
  readonly refId: string;
  readonly vin: string;
}

function Entry({ entry, refId, vin }: EntryProps) {
  const message = entry.kind === 'ack' || entry.kind === 'event' ? entry : undefined;
  return (
    <tr className={`entry-${entry.kind}`}>
      <td>
        <Time at={entry.at} style="precise" />
      </td>
      <td>{message && <VehicleTime seenAt={entry.at} vehicleAt={message.vehicleAt} />}</td>
      <td className="minor">{entry.attempt}</td>
      <td>
        <What entry={entry} />
      </td>
      <td>
        {message && <Facts meta={message.meta} />}
        {entry.kind === 'control' && entry.reason}
      </td>
      <td className="minor">
        {entry.kind === 'event' && <Receivers callbacks={entry.callbacks} />}
      </td>
      <td>{message && <RawMessage refId={refId} vin={vin} messageId={message.message_id} />}</td>
    </tr>
  );
}

/** Marks a vehicle's time that differs greatly from the adapter's. */
const FAR_OFF_S = 60;

function VehicleTime({ seenAt, vehicleAt }: { seenAt: string; vehicleAt: string }) {
  const seconds = (Date.parse(seenAt) - Date.parse(vehicleAt)) / 1000;
  const isFar = Math.abs(seconds) > FAR_OFF_S;
  return (
    <>
      <Time at={vehicleAt} style="precise" />
      {isFar && (
        <small>
          {duration(Math.abs(seconds))} {seconds > 0 ? 'earlier' : 'later'}
        </small>
      )}
    </>
  );
}

function What({ entry }: { entry: TimelineEntry }) {
  switch (entry.kind) {
    case 'event':
      return <State state={entry['status-name']} />;
    case 'ack':
      return <>acknowledged the trigger</>;
    case 'control':
      return (
        <>
          {entry.action} <small>by {entry.by}</small>
        </>
      );
    case 'delivery':
      return <>{entry.what}</>;
  }
}

type Event = Extract<TimelineEntry, { kind: 'event' }>;

/** Details of an event beyond its status; progress as a bar. */
function Facts({ meta }: { meta: Event['meta'] }) {
  const progress = meta.find(({ key }) => key === 'progress')?.value;
  const share = Number(progress);
  const rest = meta.filter(({ key }) => key !== 'progress' || !Number.isFinite(share));
  return (
    <>
      {progress !== undefined && Number.isFinite(share) && (
        <span className="progress">
          <progress max={100} value={share} aria-label="progress" /> {progress} %
        </span>
      )}
      {rest.map(({ key, value }, place) => (
        <span key={place} className="meta">
          <b>{key}</b> {value}
        </span>
      ))}
    </>
  );
}

function Receivers({ callbacks }: { callbacks: Event['callbacks'] }) {
  return callbacks.map(({ receiver, deliveredAt, tries }) => (
    <span key={receiver} className="meta">
      <b>{receiver}</b>{' '}
      {deliveredAt === null ? 'not delivered yet' : <Time at={deliveredAt} style="time" />}
      {tries > 1 && ` after ${tries} tries`}
    </span>
  ));
}
