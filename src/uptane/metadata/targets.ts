/** Targets metadata, top-level or delegated (POUF, sections 4 to 6). */
import { type Subject } from '../refusal.js';
import { type Rules } from '../rules.js';
import { type Delegation, readDelegations } from './delegation.js';
import { type MetadataFile, readMetadataFile } from './metadata-file.js';
import { readTarget, type Target } from './target.js';

export interface Targets extends MetadataFile {
  readonly targets: ReadonlyMap<string, Target>;
  /** In order of priority. */
  readonly delegations: readonly Delegation[];
}

/** @throws Refusal */
export function readTargets(bytes: Uint8Array, subject: Subject, rules: Rules): Targets {
  const file = readMetadataFile('targets', bytes, subject, rules);
  const { signed } = file.envelope;
  const targets = new Map(
    signed
      .member('targets')
      .members()
      .map(([path, entry]) => [path, readTarget(path, entry)] as const),
  );
  const delegations = rules.delegations ? signed.optional('delegations') : undefined;
  return {
    ...file,
    targets,
    delegations: delegations ? readDelegations(delegations, file.subject, rules) : [],
  };
}
