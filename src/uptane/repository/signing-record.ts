/**
 * The record of files signed with a key. It is stored next to the key, not in the copied folder, so that a machine with
 * the key recognises an outdated proposal even together with the old repository.
 */
import { createHash } from 'node:crypto';
import { parseJson } from '../json/parse-json.js';
import { Reader } from '../json/reader.js';
import { readIfThere, replaceFile } from '../store/durable-file.js';
import { RepositoryFault } from './fault.js';
import { type RepositoryKind } from './periods.js';
import { type ProposedFile } from './proposal.js';

interface Entry {
  readonly version: number;
  /** Lower-case hex digest of the signed canonical JSON. */
  readonly sha256: string;
}

export class SigningRecord {
  readonly #path: string;
  readonly #kind: RepositoryKind;
  readonly #signed: Map<string, Entry>;

  /** @throws Refusal, BadJson if the file is not one of ours */
  constructor(path: string, kind: RepositoryKind) {
    this.#path = path;
    this.#kind = kind;
    const bytes = readIfThere(path);
    const members = bytes
      ? new Reader(parseJson(bytes), { repository: 'local', role: path }).members()
      : [];
    this.#signed = new Map(
      members.map(([role, entry]) => [
        role,
        { version: entry.member('version').integer(1), sha256: entry.member('sha256').string() },
      ]),
    );
  }

  /**
   * @returns a warning if the same version was signed before with different content
   * @throws RepositoryFault if a later version was signed before, or the key signs for the other repository
   */
  check({ role, content, envelope }: ProposedFile): string | undefined {
    this.#refuseOtherRepository();
    const before = this.#signed.get(this.#nameOf(role));
    if (before === undefined) return undefined;
    if (content.version < before.version) {
      throw new RepositoryFault(
        `this key has signed ${role} version ${before.version} already; version ${content.version} is a proposal of the past`,
      );
    }
    return content.version === before.version && before.sha256 !== digest(envelope.signedBytes)
      ? `this key has signed another ${role} version ${content.version} before`
      : undefined;
  }

  /** Called before the signature leaves the machine. */
  add({ role, content, envelope }: ProposedFile): void {
    const entry = { version: content.version, sha256: digest(envelope.signedBytes) };
    this.#signed.set(this.#nameOf(role), entry);
    replaceFile(this.#path, `${JSON.stringify(Object.fromEntries(this.#signed), null, 2)}\n`);
  }

  /** A root does not name its repository: signed by keys of both, it could be passed off as the other's. */
  #refuseOtherRepository(): void {
    const isDirector = this.#kind === 'director';
    const names = [...this.#signed.keys()];
    if (names.every((name) => name.startsWith(DIRECTOR) === isDirector)) return;
    const [here, there] = isDirector
      ? ['the Director', 'the image repository']
      : ['the image repository', 'the Director'];
    throw new RepositoryFault(`this key has signed for ${there}: ${here} needs separate keys`);
  }

  #nameOf(role: string): string {
    return this.#kind === 'director' ? `${DIRECTOR}${role}` : role;
  }
}

/** No role name starts like this. */
const DIRECTOR = 'director/';

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
