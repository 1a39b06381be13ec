import { useContext, useSyncExternalStore } from 'react';
import { type Connection } from '../api/live.js';
import { LiveContext } from '../api/use-query.js';
import { Time } from '../ui/time.js';

const TEXTS: Readonly<Record<Connection, string>> = {
  connecting: 'Connecting',
  live: 'Live',
  away: 'Database unavailable; showing data as of',
  lost: 'Connection lost, reconnecting; showing data as of',
};

/** Whether the page is up to date. */
export function ConnectionSign() {
  const live = useContext(LiveContext);
  const connection = useSyncExternalStore(
    live?.subscribe ?? (() => () => undefined),
    () => live?.connection ?? 'connecting',
  );
  const isStale = connection === 'away' || connection === 'lost';
  return (
    <div className={`connection ${connection}`} role="status">
      <i aria-hidden="true" />
      {isStale ? 'Offline' : TEXTS[connection]}
      {isStale && live && (
        <span className="connection-notice">
          {TEXTS[connection]} <Time at={new Date(live.since).toISOString()} style="time" />
        </span>
      )}
    </div>
  );
}
