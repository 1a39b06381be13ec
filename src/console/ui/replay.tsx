/** Replays messages that were set aside: one, or all that match a filter. */
import { type ReactNode, useState } from 'react';
import { useRefetch } from '../api/use-query.js';
import { count, plural } from '../format/numbers.js';
import { Confirm, withReason } from './confirm.js';
import { type Column } from './table.js';
import { Time } from './time.js';

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

/** A message that was set aside. */
interface SetAside {
  readonly id: string;
  readonly replayedAt: string | null;
}

/** Outcomes of a replay. */
interface ReplayCounts {
  /** Applied or stored. */
  readonly taken: number;
  readonly duplicates: number;
  readonly refused: number;
  readonly more: boolean;
}

interface ReplayOptions {
  readonly of: Replayed;
  /** Without it there are no buttons. */
  readonly isAllowed: boolean;
  /** Fields of the filter; empty: all. */
  readonly filter: object;
  readonly one: (
    id: string,
  ) => Promise<{ readonly outcome: string; readonly reason: string | null }>;
  readonly all: (options: { limit: number; reason?: string }) => Promise<ReplayCounts>;
}

/** Replay controls for a list of set-aside messages. */
interface Replay {
  /** Replays all that match. */
  readonly action: ReactNode;
  /** Of the last replay. */
  readonly outcome: ReactNode;
  /** When each was replayed, and a button. */
  readonly columns: readonly Column<SetAside>[];
}

export function useReplay({ of, isAllowed, filter, one, all }: ReplayOptions): Replay {
  const refetch = useRefetch();
  const [outcome, setOutcome] = useState('');
  const show = async (text: string) => {
    setOutcome(text);
    await refetch(of.topic);
  };
  const replayOne = async (id: string) => {
    const { outcome, reason } = await one(id);
    await show(`The ${of.noun} was ${outcome}${reason === null ? '' : `: ${reason}`}.`);
  };
  const replayAll = async (reason: string) => {
    const { taken, duplicates, refused, more } = await all(withReason(reason, { limit: AT_ONCE }));
    await show(
      `${plural(taken, of.noun)} ${of.taken}, ${count(duplicates)} processed before, ${count(refused)} refused again.${more ? ' There are more: replay again.' : ''}`,
    );
  };
  const button: Column<SetAside> = {
    title: '',
    cell: ({ id, replayedAt }) => (
      <ReplayOne of={of} wasReplayed={replayedAt !== null} act={() => replayOne(id)} />
    ),
  };
  return {
    action: isAllowed && <ReplayAll of={of} filter={filter} act={replayAll} />,
    outcome: <p role="status">{outcome}</p>,
    columns: [
      { title: 'Replayed', cell: ({ replayedAt }) => <Time at={replayedAt} /> },
      ...(isAllowed ? [button] : []),
    ],
  };
}

interface ReplayOneProps {
  readonly of: Replayed;
  readonly wasReplayed: boolean;
  readonly act: () => Promise<void>;
}

function ReplayOne({ of, wasReplayed, act }: ReplayOneProps) {
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

interface ReplayAllProps {
  readonly of: Replayed;
  readonly filter: object;
  readonly act: (reason: string) => Promise<void>;
}

function ReplayAll({ of, filter, act }: ReplayAllProps) {
  const fields = Object.entries(filter).map(([name, value]) => `${name} ${String(value)}`);
  return (
    <Confirm label="Replay all that match" title="Replay all that match the filter?" act={act}>
      <ul>
        <li>
          Up to {count(AT_ONCE)} {of.noun}s not replayed yet
          {fields.length > 0 ? `, with ${fields.join(', ')},` : ''} are processed {of.how.many}.
        </li>
        <li>Those that are refused again stay here.</li>
      </ul>
    </Confirm>
  );
}
