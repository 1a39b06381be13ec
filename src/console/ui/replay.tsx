/** Replays what was set aside: one, or all that match a filter. */
import { useAskAgain } from '../api/use-query.js';
import { count, plural } from '../format/numbers.js';
import { Confirm } from './confirm.js';

/** Most that one call replays. */
const AT_ONCE = 1_000;

/** What is replayed, in words. */
export interface Replayed {
  /** `message`, `event` */
  readonly noun: string;
  /** What becomes of it when it is taken: `applied`, `stored`. */
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
  const askAgain = useAskAgain();
  const act = async () => {
    const { outcome, reason } = await replay();
    onDone(`The ${of.noun} was ${outcome}${reason === null ? '' : `: ${reason}`}.`);
    await askAgain(of.topic);
  };
  return (
    <Confirm label="Replay" isSmall title={`Replay this ${of.noun}?`} withReason={false} act={act}>
      <ul>
        <li>
          1 {of.noun} is processed {of.how.one}; it stays here if its cause is still there.
        </li>
        {wasReplayed && <li>It was replayed before.</li>}
      </ul>
    </Confirm>
  );
}

/** What came of a replay of several. */
export interface ReplayCounts {
  /** Applied or stored. */
  readonly taken: number;
  readonly duplicate: number;
  readonly refused: number;
  readonly more: boolean;
}

interface ReplayAllProps {
  readonly of: Replayed;
  /** What is chosen, in words; empty: all. */
  readonly filter: readonly string[];
  readonly replay: (options: { limit: number; reason?: string }) => Promise<ReplayCounts>;
  readonly onDone: (text: string) => void;
}

export function ReplayAll({ of, filter, replay, onDone }: ReplayAllProps) {
  const askAgain = useAskAgain();
  const act = async (reason: string) => {
    const { taken, duplicate, refused, more } = await replay({
      limit: AT_ONCE,
      ...(reason === '' ? {} : { reason }),
    });
    onDone(
      `${plural(taken, of.noun)} ${of.taken}, ${count(duplicate)} processed before, ${count(refused)} refused again.${more ? ' There are more: replay again.' : ''}`,
    );
    await askAgain(of.topic);
  };
  return (
    <Confirm label="Replay all that match" title="Replay all that match the filter?" act={act}>
      <ul>
        <li>
          Up to {count(AT_ONCE)} {of.noun}s not replayed yet
          {filter.length > 0 ? `, with ${filter.join(', ')},` : ''} are processed {of.how.many}.
        </li>
        <li>Those whose cause is still there stay here.</li>
      </ul>
    </Confirm>
  );
}
