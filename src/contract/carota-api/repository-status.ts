/** The state of the two Uptane repositories, for people: roles, keys, expiries and proposals. */
import Type from '../typebox.js';
import { Nullable, TimeOf } from '../http/index.js';

/** Ids of the keys in the examples. */
const ALICE = '9e9fb25ff6b92b6082cd0a85f5e4adccac07096460de89b0c1947618c228fbad';
const BOB = '161141b4f8c9a22a33b89e5769c8719038d23c41a4ea79c9551dea8d2efce425';
const CAROL = '9efdcd655376a5cbd60a37ac3e9f49f486cd08e4c1b2b218f05c0f8dd96c8476';
const TIMESTAMP = 'e1ac0ccfa0d00cd4be0c264f945d7b9f2920f7a76893ef0c07f451a5a5905ddb';
const SNAPSHOT = '09bc1831c2fc462c5605eb7ba80cb41f1777ddb3a98e1275c99eec5dd8774645';
const TARGETS = '54a432b2ab523d08835dbe8d4cf07ea58faffbbe063f23aa4612eb40d2e7bc45';
const TIME = '356718f555fda4ac6e96ce47276473889c5eee8d747bca569a0b167a1e6cdbf2';

const KeyIds = (description?: string) =>
  Type.Array(Type.String(), {
    description: description === undefined ? 'Key ids.' : `Key ids: ${description}.`,
  });

/** A file's role, version and expiry, and who has signed it. */
export const RepositoryRole = Type.Object(
  {
    role: Type.String({ examples: ['targets'] }),
    version: Type.Integer(),
    expires: TimeOf('Vehicles reject the file after this time.'),
    daysLeft: Type.Number({ description: 'Negative once it has expired.' }),
    validity: Type.Enum(['valid', 'expires-soon', 'expired'], {
      title: 'RepositoryRoleValidity',
      description:
        '`expires-soon`: within two weeks for a role signed by people (or within half its lifetime, if shorter), in the last quarter of its lifetime for a role signed online.',
    }),
    threshold: Type.Integer({ description: 'Number of keys that must sign.' }),
    keys: KeyIds('keys that may sign'),
    signedBy: KeyIds('keys that have signed'),
  },
  {
    title: 'RepositoryRole',
    examples: [
      {
        role: 'root',
        version: 2,
        expires: '2027-11-27T08:00:00Z',
        daysLeft: 364.9,
        validity: 'valid',
        threshold: 2,
        keys: [ALICE, BOB, CAROL],
        signedBy: [ALICE, CAROL],
      },
    ],
  },
);
/** A value that fits the schema {@link RepositoryRole}. */
export type RepositoryRole = Type.Static<typeof RepositoryRole>;

/** A public key of a repository. */
export const RepositoryKey = Type.Object(
  {
    id: Type.String({ description: 'SHA-256 of the key’s canonical JSON.' }),
    keytype: Type.String({ examples: ['ed25519'] }),
    scheme: Type.String(),
    roles: Type.Array(Type.String(), {
      description: 'Roles that the key may sign, now or once the proposal is published.',
    }),
  },
  {
    title: 'RepositoryKey',
    examples: [{ id: ALICE, keytype: 'ed25519', scheme: 'ed25519', roles: ['root', 'targets'] }],
  },
);
/** A value that fits the schema {@link RepositoryKey}. */
export type RepositoryKey = Type.Static<typeof RepositoryKey>;

/** The next version of a role, with its signatures so far. */
export const ProposedRole = Type.Object(
  {
    role: Type.String(),
    version: Type.Integer(),
    expires: Type.String({ format: 'date-time' }),
    signatures: Type.Array(
      Type.Object({
        by: Type.String({
          description:
            'Whose keys must sign: `this root`, `the root before`, `root`, or the role that delegates.',
        }),
        threshold: Type.Integer(),
        signedBy: KeyIds(),
        canSign: KeyIds('keys that have not signed'),
        missing: Type.Integer({ description: 'Number of further keys that must sign.' }),
      }),
    ),
    broken: KeyIds('invalid signatures, because the file was changed afterwards'),
    foreign: KeyIds('signatures by keys that do not belong to the role'),
  },
  {
    title: 'ProposedRole',
    examples: [
      {
        role: 'targets',
        version: 8,
        expires: '2027-05-26T08:00:00Z',
        signatures: [
          { by: 'root', threshold: 2, signedBy: [ALICE], canSign: [BOB, CAROL], missing: 1 },
        ],
        broken: [],
        foreign: [],
      },
    ],
  },
);
/** A value that fits the schema {@link ProposedRole}. */
export type ProposedRole = Type.Static<typeof ProposedRole>;

const FAULTS = {
  faults: Type.Array(Type.String(), { description: 'Errors in the proposal.' }),
  difference: Type.Array(Type.String(), {
    description: 'Changes of the proposal, line by line, as text for people.',
  }),
};

const Attention = Type.Array(Type.String(), {
  description: 'Tasks that need attention soon, one sentence each; empty: none.',
});

/** The image repository, with its proposal. */
export const ImageRepositoryStatus = Type.Object(
  {
    isTrial: Type.Boolean({
      description:
        'This server generated all keys and holds them: anyone who controls the server can publish anything.',
    }),
    onlineKeys: Type.Enum(['server', 'signer', 'elsewhere'], {
      title: 'OnlineKeysOfImages',
      description:
        'Where snapshot and timestamp are signed. `server`: here. `signer`: by the signer process. `elsewhere`: by people, before they expire.',
    }),
    published: Type.Array(RepositoryRole),
    proposed: Type.Array(ProposedRole),
    keys: Type.Array(RepositoryKey),
    ...FAULTS,
    attention: Attention,
  },
  { title: 'ImageRepositoryStatus' },
);
/** A value that fits the schema {@link ImageRepositoryStatus}. */
export type ImageRepositoryStatus = Type.Static<typeof ImageRepositoryStatus>;

/** The Director repository. */
export const DirectorRepositoryStatus = Type.Object(
  {
    isTrial: Type.Boolean({
      description:
        'This server generated the root key and holds it: anyone who controls the server can replace all keys.',
    }),
    onlineKeys: Type.Enum(['server', 'signer'], {
      title: 'OnlineKeysOfDirector',
      description: 'Holder of the online keys: this server itself, or the signer process.',
    }),
    root: RepositoryRole,
    online: Type.Array(
      Type.Object(
        {
          role: Type.String(),
          threshold: Type.Integer(),
          keys: KeyIds('keys that may sign'),
          lifetimeSeconds: Type.Integer({
            description: 'Validity of a vehicle’s file, counted from its signature.',
          }),
        },
        { title: 'OnlineRole' },
      ),
      { description: 'Roles with separate files per vehicle, signed on demand.' },
    ),
    ceremony: Nullable(
      Type.Object({ proposed: Type.Array(ProposedRole), ...FAULTS }, { title: 'DirectorCeremony' }),
      'The proposal in its folder; null: its root does not come from a ceremony.',
    ),
    timeKey: Type.String({
      description: 'Id of the key that signs the time; the time is not a role.',
    }),
    keys: Type.Array(RepositoryKey),
    attention: Attention,
  },
  {
    title: 'DirectorRepositoryStatus',
    examples: [
      {
        isTrial: false,
        onlineKeys: 'signer',
        root: {
          role: 'root',
          version: 1,
          expires: '2027-11-27T08:00:00Z',
          daysLeft: 364.9,
          validity: 'valid',
          threshold: 2,
          keys: [ALICE, BOB, CAROL],
          signedBy: [ALICE, BOB],
        },
        online: [
          { role: 'timestamp', threshold: 1, keys: [TIMESTAMP], lifetimeSeconds: 86_400 },
          { role: 'snapshot', threshold: 1, keys: [SNAPSHOT], lifetimeSeconds: 604_800 },
          { role: 'targets', threshold: 1, keys: [TARGETS], lifetimeSeconds: 604_800 },
        ],
        ceremony: { proposed: [], faults: [], difference: [] },
        timeKey: TIME,
        keys: [{ id: ALICE, keytype: 'ed25519', scheme: 'ed25519', roles: ['root'] }],
        attention: [],
      },
    ],
  },
);
/** A value that fits the schema {@link DirectorRepositoryStatus}. */
export type DirectorRepositoryStatus = Type.Static<typeof DirectorRepositoryStatus>;
