/**
 * A ceremony of a repository as steps for people: each command, its machine, and the progress so far
 * (docs/key-ceremonies.md). Pure.
 */
import { type ImageRepositoryStatus, type ProposedRole } from '../../contract/carota-api/index.js';
import { plural } from '../format/numbers.js';
import { shortKey } from './short-key.js';

export interface CeremonyStep {
  readonly title: string;
  /** The place of the step, and the people who perform it. */
  readonly where: string;
  readonly commands: readonly string[];
  /** How it stands. */
  readonly notes: readonly string[];
  readonly state: 'done' | 'now' | 'later';
}

export interface Standing extends Pick<ImageRepositoryStatus, 'proposed' | 'faults'> {
  /** Whether there is a root already. */
  readonly isEstablished: boolean;
}

/** Differences between the two repositories. Names of files and folders are those of docs/key-ceremonies.md. */
export interface CeremonyWords {
  readonly folder: string;
  readonly signer: string;
  readonly init: string;
  /** Flags of `propose`. */
  readonly proposal: string;
  readonly whereToPropose: string;
  /** Flags of `publish`. */
  readonly publisher: string;
  readonly whereToPublish: string;
}

export const imageCeremony = (onlineKeys: ImageRepositoryStatus['onlineKeys']): CeremonyWords => ({
  folder: 'repo',
  signer: 'bob',
  init: '--threshold root=2 --threshold targets=2 --key root=alice.key.pub …',
  proposal: '--add brakes/fw.bin=fw.bin --hardware-id hw-a --release-counter 2',
  whereToPropose:
    'On any machine with the folder. Uploads to this server propose their image as well.',
  publisher:
    onlineKeys === 'signer'
      ? ' --signer /run/otaops/signer'
      : ' --key snapshot.key --key timestamp.key',
  whereToPublish:
    onlineKeys === 'signer'
      ? 'On the server, where the signer process has the online keys.'
      : 'On the machine with the online keys.',
});

export const DIRECTOR_CEREMONY: CeremonyWords = {
  folder: 'director',
  signer: 'grace',
  init: '--director --threshold root=2 --key root=frank.key.pub …',
  proposal: '--renew root',
  whereToPropose: 'On any machine with the folder: a new root with its intended keys.',
  publisher: '',
  whereToPublish:
    'On the server; restart it afterwards, because a new root takes effect at the next start.',
};

export function ceremonyOf(status: Standing, words: CeremonyWords): readonly CeremonyStep[] {
  const { proposed, faults, isEstablished } = status;
  const { folder, signer } = words;
  const isProposed = proposed.length > 0;
  const isSound = isProposed && faults.length === 0;
  const missing = proposed.flatMap(missingOf);
  const isSigned = isSound && missing.length === 0;
  const state = (isDone: boolean, isReady: boolean) =>
    isDone ? 'done' : isReady ? 'now' : 'later';
  return [
    {
      title: 'Propose',
      where: words.whereToPropose,
      commands: [
        isEstablished
          ? `otaops repository propose ${folder} ${words.proposal}`
          : `otaops repository init ${folder} ${words.init}`,
      ],
      notes: isProposed
        ? [`Proposed: ${proposed.map(({ role, version }) => `${role} ${version}`).join(', ')}.`]
        : [],
      state: state(isSound, true),
    },
    {
      title: 'Read the difference and sign',
      where:
        'Each signer, on the machine with their key, after copying the folder there. The command shows the difference again and asks before it signs.',
      commands: [
        `cp -r ${folder} at-${signer}s`,
        `otaops repository sign at-${signer}s --key ${signer}.key`,
      ],
      notes: missing,
      state: state(isSigned, isSound),
    },
    {
      title: 'Collect the signatures',
      where: 'On the publishing machine, once for each returned copy.',
      commands: [`otaops repository sign ${folder} --from at-${signer}s`],
      notes: [],
      state: state(isSigned, isSound),
    },
    {
      title: 'Publish',
      where: `${words.whereToPublish} The result is verified as vehicles do before anything is written.`,
      commands: [`otaops repository publish ${folder}${words.publisher}`],
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
