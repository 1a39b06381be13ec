/**
 * A ceremony of the image repository as steps for people: which command on which machine, and how far it has come
 * (docs/key-ceremonies.md). Pure.
 */
import { type ImageRepositoryStatus, type ProposedRole } from '../../contract/carota-api/index.js';
import { plural } from '../format/numbers.js';
import { shortKey } from './short-key.js';

export interface CeremonyStep {
  readonly title: string;
  /** Where it is done, and by whom. */
  readonly where: string;
  readonly commands: readonly string[];
  /** How it stands. */
  readonly notes: readonly string[];
  readonly state: 'done' | 'now' | 'later';
}

type Standing = Pick<ImageRepositoryStatus, 'proposed' | 'faults' | 'onlineKeys' | 'published'>;

/** The names of files and folders are those of docs/key-ceremonies.md. */
export function ceremonyOf(status: Standing): readonly CeremonyStep[] {
  const { proposed, faults, onlineKeys, published } = status;
  const isProposed = proposed.length > 0;
  const isSound = isProposed && faults.length === 0;
  const missing = proposed.flatMap(missingOf);
  const isSigned = isSound && missing.length === 0;
  const state = (isDone: boolean, isReady: boolean) =>
    isDone ? 'done' : isReady ? 'now' : 'later';
  return [
    {
      title: 'Propose',
      where: 'On any machine with the folder. Uploads to this server propose their image as well.',
      commands: [
        published.length === 0
          ? 'otaops repository init repo --threshold root=2 --threshold targets=2 --key root=alice.key.pub …'
          : 'otaops repository propose repo --add brakes/fw.bin=fw.bin --hardware-id hw-a --release-counter 2',
      ],
      notes: isProposed
        ? [`Proposed: ${proposed.map(({ role, version }) => `${role} ${version}`).join(', ')}.`]
        : [],
      state: state(isSound, true),
    },
    {
      title: 'Read the difference and sign',
      where:
        'Each signer, on the machine with their key, with the folder that was carried there. The command shows the difference again and asks before it signs.',
      commands: ['cp -r repo at-bobs', 'otaops repository sign at-bobs --key bob.key'],
      notes: missing,
      state: state(isSigned, isSound),
    },
    {
      title: 'Bring the signatures together',
      where: 'On the machine that will publish, once for each copy that comes back.',
      commands: ['otaops repository sign repo --from at-bobs'],
      notes: [],
      state: state(isSigned, isSound),
    },
    {
      title: 'Publish',
      where:
        onlineKeys === 'signer'
          ? 'On the server, where the signer process has the online keys. The result is verified as vehicles do before anything is written.'
          : 'On the machine with the online keys. The result is verified as vehicles do before anything is written.',
      commands: [
        onlineKeys === 'signer'
          ? 'otaops repository publish repo --signer /run/otaops/signer'
          : 'otaops repository publish repo --key snapshot.key --key timestamp.key',
      ],
      notes: isSigned ? ['Every threshold is met.'] : [],
      state: state(false, isSigned),
    },
  ];
}

const missingOf = ({ role, signatures }: ProposedRole): string[] =>
  signatures
    .filter(({ missing }) => missing > 0)
    .map(
      ({ by, missing, canSign }) =>
        `${role}: ${plural(missing, 'signature')} missing by the keys of ${by}; can sign: ${
          canSign.map(shortKey).join(', ') || 'nobody'
        }.`,
    );
