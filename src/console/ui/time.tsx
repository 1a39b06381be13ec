import { local, type TimeStyle, utc } from '../format/times.js';

/** A time in the user's time zone; in UTC on hover and for assistive technology. */
export function Time({ at, style = 'full' }: { at: string | null; style?: TimeStyle }) {
  if (at === null) return <span className="muted">–</span>;
  const moment = new Date(at);
  return (
    <time dateTime={at} title={utc(moment)}>
      {local(moment, style)}
    </time>
  );
}
