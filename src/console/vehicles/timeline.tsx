import { type TimelineEntry } from '../api/adapter.js';
import { at } from '../api/client.js';
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

/** All that happened to a vehicle in an operation, by both clocks. */
export function Timeline({ refId, vin, topics }: TimelineProps) {
  const path = at`/v1.0/ota/operations/${refId}/vehicles/${vin}`;
  const answer = useApi<{ items: readonly TimelineEntry[] }>(`${path}/timeline`, {}, { topics });
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
                  <Entry key={place} entry={entry} path={path} />
                ))}
              </tbody>
            </table>
          </div>
        )
      }
    </Answered>
  );
}

function Entry({ entry, path }: { entry: TimelineEntry; path: string }) {
  const { at: seenAt, vehicleAt, attempt, messageId } = entry;
  return (
    <tr className={`entry-${entry.kind}`}>
      <td>
        <Time at={seenAt} style="precise" />
      </td>
      <td>{vehicleAt !== undefined && <VehicleTime seenAt={seenAt} vehicleAt={vehicleAt} />}</td>
      <td className="minor">{attempt}</td>
      <td>
        <What entry={entry} />
      </td>
      <td>
        <Details entry={entry} />
      </td>
      <td className="minor">
        <Receivers entry={entry} />
      </td>
      <td>{messageId !== undefined && <RawMessage path={path} messageId={messageId} />}</td>
    </tr>
  );
}

/** A clock that is far off is said so. */
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

function What({ entry: { kind, what, statusName, action, by } }: { entry: TimelineEntry }) {
  if (kind === 'event') return <State state={statusName ?? ''} />;
  if (kind === 'ack') return <>acknowledged the trigger</>;
  if (kind === 'control') {
    return (
      <>
        {action} <small>by {by}</small>
      </>
    );
  }
  return <>{what}</>;
}

function Details({ entry: { meta = [], reason, kind } }: { entry: TimelineEntry }) {
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
      {kind === 'control' && reason}
    </>
  );
}

function Receivers({ entry: { callbacks = [] } }: { entry: TimelineEntry }) {
  return callbacks.map(({ receiver, settledAt, tries }) => (
    <span key={receiver} className="meta">
      <b>{receiver}</b> {settledAt === null ? 'not told yet' : <Time at={settledAt} style="time" />}
      {tries > 1 && ` after ${tries} tries`}
    </span>
  ));
}
