/** Takes what was refused once more: one, or all that match a filter. */
import { send } from '../api/client.js';
import { useAskAgain } from '../api/use-query.js';
import { count, plural } from '../format/numbers.js';
import { Confirm } from './confirm.js';

/** What one call takes at most. */
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
  /** e.g. `/v1.0/dead-letters/4711` */
  readonly path: string;
  readonly wasReplayed: boolean;
  readonly onDone: (text: string) => void;
}

export function ReplayOne({ of, path, wasReplayed, onDone }: ReplayOneProps) {
  const askAgain = useAskAgain();
  const act = async () => {
    const { outcome, reason } = await send<{ outcome: string; reason: string | null }>(
      'POST',
      `${path}/replay`,
    );
    onDone(`The ${of.noun} was ${outcome}${reason === null ? '' : `: ${reason}`}.`);
    await askAgain(of.topic);
  };
  return (
    <Confirm label="Replay" isSmall title={`Replay this ${of.noun}?`} withReason={false} act={act}>
      <ul>
        <li>
          1 {of.noun} is taken {of.how.one}; it stays here if its cause still stands.
        </li>
        {wasReplayed && <li>It was replayed before.</li>}
      </ul>
    </Confirm>
  );
}

interface ReplayAllProps {
  readonly of: Replayed;
  /** e.g. `/v1.0/dead-letters` */
  readonly path: string;
  /** Empty: not set. */
  readonly filter: Readonly<Record<string, string>>;
  readonly onDone: (text: string) => void;
}

type Tally = Readonly<Record<string, number>> & { readonly more: boolean };

export function ReplayAll({ of, path, filter, onDone }: ReplayAllProps) {
  const askAgain = useAskAgain();
  const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== ''));
  const act = async (why: string) => {
    const tally = await send<Tally>('POST', `${path}/replay`, {
      ...given,
      limit: AT_ONCE,
      ...(why === '' ? {} : { why }),
    });
    const { [of.taken]: taken = 0, duplicate = 0, refused = 0, more } = tally;
    onDone(
      `${plural(taken, of.noun)} ${of.taken}, ${count(duplicate)} known already, ${count(refused)} refused once more.${more ? ' There are more: replay again.' : ''}`,
    );
    await askAgain(of.topic);
  };
  const named = Object.entries(given).map(([name, value]) => `${name} ${value}`);
  return (
    <Confirm label="Replay all that match" title="Replay all that match the filter?" act={act}>
      <ul>
        <li>
          Up to {count(AT_ONCE)} {of.noun}s that were not replayed yet
          {named.length > 0 ? `, with ${named.join(', ')},` : ''} are taken {of.how.many}.
        </li>
        <li>Those whose cause still stands stay here.</li>
      </ul>
    </Confirm>
  );
}
