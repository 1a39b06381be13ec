/** Replays messages that were set aside: one, or all that match a filter. */
import { useRefetch } from '../api/use-query.js';
import { count, plural } from '../format/numbers.js';
import { Confirm } from './confirm.js';

/** Maximum number per request. */
const AT_ONCE = 1_000;

/** Words for the kind of message. */
export interface Replayed {
  /** `message`, `event` */
  readonly noun: string;
  /** The successful outcome: `applied`, `stored`. */
  readonly taken: string;
  /** e.g. `as if it had just arrived` */
  readonly how: { readonly one: string; readonly many: string };
  readonly topic: string;
}

interface ReplayOneProps {
  readonly of: Replayed;
  readonly wasReplayed: boolean;
  readonly replay: () => Promise<{ readonly outcome: string; readonly reason: string | null }>;
  readonly onDone: (text: string) => void;
}

export function ReplayOne({ of, wasReplayed, replay, onDone }: ReplayOneProps) {
  const refetch = useRefetch();
  const act = async () => {
    const { outcome, reason } = await replay();
    onDone(`The ${of.noun} was ${outcome}${reason === null ? '' : `: ${reason}`}.`);
    await refetch(of.topic);
  };
  return (
    <Confirm label="Replay" isSmall title={`Replay this ${of.noun}?`} withReason={false} act={act}>
      <ul>
        <li>
          1 {of.noun} is processed {of.how.one}; if it is refused again, it stays here.
        </li>
        {wasReplayed && <li>It was replayed before.</li>}
      </ul>
    </Confirm>
  );
}

/** Outcomes of a replay. */
export interface ReplayCounts {
  /** Applied or stored. */
  readonly taken: number;
  readonly duplicate: number;
  readonly refused: number;
  readonly more: boolean;
}

interface ReplayAllProps {
  readonly of: Replayed;
  /** The filter in words; empty: all. */
  readonly filter: readonly string[];
  readonly replay: (options: { limit: number; reason?: string }) => Promise<ReplayCounts>;
  readonly onDone: (text: string) => void;
}

export function ReplayAll({ of, filter, replay, onDone }: ReplayAllProps) {
  const refetch = useRefetch();
  const act = async (reason: string) => {
    const { taken, duplicate, refused, more } = await replay({
      limit: AT_ONCE,
      ...(reason === '' ? {} : { reason }),
    });
    onDone(
      `${plural(taken, of.noun)} ${of.taken}, ${count(duplicate)} processed before, ${count(refused)} refused again.${more ? ' There are more: replay again.' : ''}`,
    );
    await refetch(of.topic);
  };
  return (
    <Confirm label="Replay all that match" title="Replay all that match the filter?" act={act}>
      <ul>
        <li>
          Up to {count(AT_ONCE)} {of.noun}s not replayed yet
          {filter.length > 0 ? `, with ${filter.join(', ')},` : ''} are processed {of.how.many}.
        </li>
        <li>Those that are refused again stay here.</li>
      </ul>
    </Confirm>
  );
}
