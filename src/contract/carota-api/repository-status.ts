/** What people see of the two repositories of Uptane: roles, keys, expiries, and what is proposed. */
import Type from '../typebox.js';
import { Nullable, TimeOf } from '../http/index.js';

const [ALICE, BOB, CAROL, TIMESTAMP, SNAPSHOT, TARGETS, TIME] = Array.from('1234567', (digit) =>
  digit.repeat(64),
);

const KeyIds = (description?: string) =>
  Type.Array(Type.String(), {
    description: description === undefined ? 'Key ids.' : `Key ids: ${description}.`,
  });

/** A file's role, version and expiry, and who has signed it. */
export const RepositoryRole = Type.Object(
  {
    role: Type.String({ examples: ['targets'] }),
    version: Type.Integer(),
    expires: TimeOf('A vehicle refuses the file from then on.'),
    daysLeft: Type.Number({ description: 'Negative once it has expired.' }),
    validity: Type.Enum(['valid', 'expires-soon', 'expired'], {
      title: 'RepositoryRoleValidity',
      description:
        '`expires-soon`: within two weeks for a role that people sign (within half its life if that is shorter), in the last quarter of its life for one that is signed online.',
    }),
    threshold: Type.Integer({ description: 'How many keys must sign.' }),
    keys: KeyIds('those that may sign'),
    signedBy: KeyIds('those that have signed'),
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
      description: 'What it may sign, now or once the proposal is published.',
    }),
  },
  {
    title: 'RepositoryKey',
    examples: [{ id: ALICE, keytype: 'ed25519', scheme: 'ed25519', roles: ['root', 'targets'] }],
  },
);
/** A value that fits the schema {@link RepositoryKey}. */
export type RepositoryKey = Type.Static<typeof RepositoryKey>;

/** The next version of a role, with the signatures that it has so far. */
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
        canSign: KeyIds('those that have not signed yet'),
        missing: Type.Integer({ description: 'How many more keys must sign.' }),
      }),
    ),
    broken: KeyIds('signatures on something else, because the file was changed after them'),
    foreign: KeyIds('signatures by keys that the role does not have'),
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
  faults: Type.Array(Type.String(), { description: 'What is wrong with the proposal.' }),
  difference: Type.Array(Type.String(), {
    description: 'What the proposal changes, line by line, for people.',
  }),
};

const Attention = Type.Array(Type.String(), {
  description: 'What needs somebody soon, one sentence each; empty: all is well.',
});

/** The image repository, with what is proposed. */
export const ImageRepositoryStatus = Type.Object(
  {
    isTrial: Type.Boolean({
      description:
        'All keys are on this server, which has made them itself: whoever has the server can publish anything.',
    }),
    onlineKeys: Type.Enum(['server', 'signer', 'elsewhere'], {
      title: 'OnlineKeysOfImages',
      description:
        'Where snapshot and timestamp are signed. `server`: here. `signer`: by the signer process. `elsewhere`: by people, in time.',
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
        'The root key is on this server, which has made it itself: whoever has the server can replace all keys.',
    }),
    onlineKeys: Type.Enum(['server', 'signer'], {
      title: 'OnlineKeysOfDirector',
      description: 'Who has the online keys: this server itself, or the signer process.',
    }),
    root: RepositoryRole,
    online: Type.Array(
      Type.Object(
        {
          role: Type.String(),
          threshold: Type.Integer(),
          keys: KeyIds('those that may sign'),
          lifetimeSeconds: Type.Integer({
            description: 'For how long a file of a vehicle is valid, from its signature on.',
          }),
        },
        { title: 'OnlineRole' },
      ),
      { description: 'Roles of which each vehicle has files of its own, signed on demand.' },
    ),
    ceremony: Nullable(
      Type.Object({ proposed: Type.Array(ProposedRole), ...FAULTS }, { title: 'DirectorCeremony' }),
      'What is proposed in its folder; null: its root did not come from a ceremony.',
    ),
    timeKey: Type.String({ description: 'Id of the key that signs the time, which is no role.' }),
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
