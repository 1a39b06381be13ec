/** `/uptane/image`: the image repository (contract section 8, Uptane wire format). */
import Type from 'typebox';
import { json, routesOf, stream } from '../http/index.js';
import { Pattern } from '../values/pattern.js';
import { ImageRepositoryStatus } from './repository-status.js';

const FORBIDDEN = ',\\u0000-\\u001F\\u007F-\\u009F\\uD800-\\uDFFF';
/** A hardware id in a list, and blanks behind it. */
const ID = `[^ ${FORBIDDEN}][^${FORBIDDEN}]*`;

/** Of an artifact or an update script that becomes a target of the image repository. */
export const TargetQuery = {
  hardwareIds: Type.Optional(
    Pattern(`^ *${ID}(, *${ID})*$`, 'must be hardware ids, separated by commas', {
      maxLength: 4_000,
      description: 'Hardware ids of the ECUs that it is for, separated by commas.',
      examples: ['hw-hu-a,hw-hu-b'],
    }),
  ),
  releaseCounter: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'An ECU never goes back to a lower one.',
    }),
  ),
} as const;

export const Target = Type.Object(
  {
    path: Type.String({ description: 'Target path in the image repository.' }),
    state: Type.Enum(['published', 'proposed'], {
      description: 'Proposed: its signers have to sign it, and somebody to publish it.',
    }),
  },
  { title: 'Target' },
);
export type Target = Type.Static<typeof Target>;

const Envelope = Type.Object(
  {
    signatures: Type.Array(Type.Object({ keyid: Type.String(), sig: Type.String() })),
    signed: Type.Object({}, { additionalProperties: true }),
  },
  { title: 'SignedFile', description: 'A signed file of Uptane (POUF, section 2).' },
);

export const imageRepositoryApi = routesOf('Image repository', {
  getImageMetadata: {
    method: 'GET',
    path: '/uptane/image/metadata/{file}',
    permission: 'open',
    summary: 'Fetch a metadata file of the image repository',
    description:
      'A file with a version in its name never changes. Images are below /uptane/image/targets/, as the POUF, section 1, says; ranges are supported.',
    params: Type.Object({
      file: Pattern(
        '^([1-9][0-9]{0,15}\\.[A-Za-z0-9][A-Za-z0-9._~-]{0,99}|timestamp)\\.json$',
        'must be timestamp.json or N.ROLE.json',
        {
          maxLength: 130,
          description: 'Name of the file.',
          examples: ['timestamp.json', '1.root.json'],
        },
      ),
    }),
    answer: stream('application/json', 'The file, never compressed.', Envelope),
    errors: ['METADATA_NOT_FOUND'],
  },
  getImageRepository: {
    method: 'GET',
    path: '/v1.0/image-repository',
    permission: 'read',
    summary: 'Show the image repository: roles, versions, expiries, signers, and what is proposed',
    answer: json(ImageRepositoryStatus, 'As it is now.'),
    errors: ['METADATA_NOT_FOUND'],
  },
});
