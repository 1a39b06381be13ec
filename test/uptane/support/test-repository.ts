/** A repository for tests, in memory: top-level and delegated roles, images, and ways to break them. */
import { createHash } from 'node:crypto';
import { type PlainJson } from '../../../src/uptane/json/canonical-json.js';
import { makeKey, type Signed, signFile, type TestKey } from './keys.js';

type Top = 'root' | 'timestamp' | 'snapshot' | 'targets';
const TOP: readonly Top[] = ['root', 'timestamp', 'snapshot', 'targets'];

const isTop = (name: string): name is Top => TOP.includes(name as Top);

const LATER = '2099-01-01T00:00:00Z';
export const NOW = new Date('2026-11-27T08:00:00Z');
export const PAST = '2026-11-27T08:00:00Z';

interface Role {
  keys: TestKey[];
  threshold: number;
  version: number;
  expires: string;
}

export type Custom = Readonly<Record<string, PlainJson>>;

export type TestDelegation = Readonly<Record<string, PlainJson>>;

interface TargetsRole extends Role {
  targets: Record<string, Custom>;
  delegationKeys: TestKey[];
  /** `undefined`: member absent. */
  delegations: TestDelegation[] | undefined;
  custom: Custom | undefined;
}

export const sha = (algorithm: string, bytes: Uint8Array) =>
  createHash(algorithm).update(bytes).digest('hex');

export class TestRepository {
  /** Served files: path below the repository, and bytes. */
  readonly files = new Map<string, Buffer>();
  readonly roles: Record<Top, Role>;
  readonly targets: TargetsRole;
  readonly delegated = new Map<string, TargetsRole>();
  /** Changes a file before it is signed. */
  tamper: (role: string, signed: any) => void = () => undefined;
  /** Signers of a file, if not the role's keys. */
  signers: (role: string) => readonly TestKey[] | undefined = () => undefined;
  /** Prefixes of metadata and images on the server. */
  readonly metadata: string;
  readonly images: string;
  /** Additional members of root's `keys`. */
  rootKeys: TestKey[] = [];

  constructor(metadata = 'metadata/', images = 'targets/') {
    this.metadata = metadata;
    this.images = images;
    const role = (): Role => ({ keys: [makeKey()], threshold: 1, version: 1, expires: LATER });
    this.targets = {
      ...role(),
      targets: {},
      delegationKeys: [],
      delegations: undefined,
      custom: undefined,
    };
    this.roles = { root: role(), timestamp: role(), snapshot: role(), targets: this.targets };
  }

  /** Adds an image to a role and to the served files. */
  addImage(path: string, content: Uint8Array, custom: Custom, role = this.targets): void {
    role.targets[path] = {
      length: content.length,
      hashes: { sha256: sha('sha256', content), sha512: sha('sha512', content) },
      custom,
    };
    const parts = path.split('/').map(encodeURIComponent);
    const name = parts.pop() ?? '';
    for (const algorithm of ['sha256', 'sha512']) {
      const file = [...parts, `${sha(algorithm, content)}.${name}`].join('/');
      this.files.set(`${this.images}${file}`, Buffer.from(content));
    }
  }

  /** Creates a delegated role, without a delegation to it. */
  addRole(name: string, keys = [makeKey()]): TargetsRole {
    const role: TargetsRole = {
      keys,
      threshold: 1,
      version: 1,
      expires: LATER,
      targets: {},
      delegationKeys: [],
      delegations: undefined,
      custom: undefined,
    };
    this.delegated.set(name, role);
    return role;
  }

  /** Delegates from one role to another, existing one. */
  delegate(from: TargetsRole, name: string, details: Custom = {}): void {
    from.delegations = [
      ...(from.delegations ?? []),
      { ...this.reference(from, name), paths: ['*'], terminating: false, ...details },
    ];
  }

  delegateToMany(from: TargetsRole, names: string[], details: Custom = {}): void {
    from.delegations = [
      ...(from.delegations ?? []),
      {
        roles: names.map((name) => this.reference(from, name)),
        minRolesInAgreement: names.length,
        paths: ['*'],
        terminating: false,
        ...details,
      },
    ];
  }

  reference(from: TargetsRole, name: string) {
    const role = this.delegated.get(name);
    from.delegationKeys.push(...(role?.keys ?? []));
    return {
      name,
      keyids: role?.keys.map(({ id }) => id) ?? [],
      threshold: role?.threshold ?? 1,
    };
  }

  /** The path of a metadata file on the server. */
  path(role: string, version?: number): string {
    const name = `${encodeURIComponent(role)}.json`;
    return `${this.metadata}${version === undefined ? name : `${version}.${name}`}`;
  }

  /** Signs and serves everything, with the roles' current versions. */
  publish(): this {
    this.publishRoot();
    for (const [name, role] of this.delegated) this.#publishTargets(name, role);
    this.#publishTargets('targets', this.targets);
    this.publishSnapshot();
    this.publishTimestamp();
    return this;
  }

  /** Increments the versions of the files and publishes. */
  release(...roles: string[]): this {
    for (const name of roles.length === 0 ? ['targets', 'snapshot', 'timestamp'] : roles) {
      const role = isTop(name) ? this.roles[name] : this.delegated.get(name);
      if (role) role.version += 1;
    }
    return this.publish();
  }

  publishRoot(): Buffer {
    const keys = Object.fromEntries(
      [...TOP.flatMap((name) => this.roles[name].keys), ...this.rootKeys].map((key) => [
        key.id,
        key.listed,
      ]),
    );
    const roles = Object.fromEntries(
      TOP.map((name) => {
        const { keys, threshold } = this.roles[name];
        return [name, { keyids: keys.map(({ id }) => id), threshold }];
      }),
    );
    const bytes = this.#sign('root', this.roles.root, {
      _type: 'root',
      consistent_snapshot: true,
      keys,
      roles,
    });
    return this.#serve(this.path('root', this.roles.root.version), bytes);
  }

  publishSnapshot(): Buffer {
    const { snapshot, targets } = this.roles;
    const meta: Record<string, PlainJson> = { 'targets.json': { version: targets.version } };
    for (const [name, { version }] of this.delegated) meta[`${name}.json`] = { version };
    const bytes = this.#sign('snapshot', snapshot, { _type: 'snapshot', meta });
    return this.#serve(this.path('snapshot', snapshot.version), bytes);
  }

  publishTimestamp(): Buffer {
    const { timestamp, snapshot } = this.roles;
    const file = this.files.get(this.path('snapshot', snapshot.version)) ?? Buffer.alloc(0);
    const entry = {
      version: snapshot.version,
      length: file.length,
      hashes: { sha256: sha('sha256', file) },
    };
    const meta = { 'snapshot.json': entry };
    const bytes = this.#sign('timestamp', timestamp, { _type: 'timestamp', meta });
    return this.#serve(this.path('timestamp'), bytes);
  }

  get rootBytes(): Buffer {
    return this.files.get(this.path('root', this.roles.root.version)) ?? Buffer.alloc(0);
  }

  #publishTargets(name: string, role: TargetsRole): void {
    const { targets, delegations, delegationKeys, custom } = role;
    const bytes = this.#sign(name, role, {
      _type: 'targets',
      targets,
      ...(custom === undefined ? {} : { custom }),
      ...(delegations === undefined
        ? {}
        : {
            delegations: {
              keys: Object.fromEntries(delegationKeys.map((key) => [key.id, key.listed])),
              roles: delegations,
            },
          }),
    });
    this.#serve(this.path(name, role.version), bytes);
  }

  #sign(name: string, role: Role, content: Signed): Buffer {
    const { version, expires } = role;
    const signed = structuredClone({ ...content, spec_version: '1.0.31', version, expires });
    this.tamper(name, signed);
    return signFile(signed, this.signers(name) ?? role.keys);
  }

  #serve(path: string, bytes: Buffer): Buffer {
    this.files.set(path, bytes);
    return bytes;
  }
}
