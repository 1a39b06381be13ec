/** `/uptane/image`: the image repository (contract section 8, Uptane wire format). */
import Type from '../typebox.js';
import { bytesBody, empty, json, routesOf, signedJsonBody, stream } from '../http/index.js';
import { Sha256 } from '../update-script/index.js';
import { Pattern } from '../values/pattern.js';
import { ImageRepositoryStatus } from './repository-status.js';

const FORBIDDEN = ',\\u0000-\\u001F\\u007F-\\u009F\\uD800-\\uDFFF';
/** A hardware id in a list, with the following blanks. */
const ID = `[^ ${FORBIDDEN}][^${FORBIDDEN}]*`;

/** Of an artifact or an update script that becomes a target of the image repository. */
export const TargetQuery = {
  hardwareIds: Type.Optional(
    Pattern(`^ *${ID}(, *${ID})*$`, 'must be hardware ids, separated by commas', {
      maxLength: 4_000,
      description: 'Hardware ids of the target ECUs, separated by commas.',
      examples: ['hw-hu-a,hw-hu-b'],
    }),
  ),
  releaseCounter: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'An ECU never installs an image with a lower counter than its current one.',
    }),
  ),
} as const;

/** A target of the image repository, and whether it is published. */
export const Target = Type.Object(
  {
    path: Type.String({ description: 'Target path in the image repository.' }),
    state: Type.Enum(['published', 'proposed'], {
      description: 'Proposed: its signers must sign it, and it must be published.',
    }),
  },
  { title: 'Target' },
);
/** A value that fits the schema {@link Target}. */
export type Target = Type.Static<typeof Target>;

const Envelope = Type.Object(
  {
    signatures: Type.Array(Type.Object({ keyid: Type.String(), sig: Type.String() })),
    signed: Type.Object({}, { additionalProperties: true }),
  },
  { title: 'SignedFile', description: 'A signed file of Uptane (POUF, section 2).' },
);

/** Largest delivery, bytes: two roles of the largest size that vehicles take. */
const MAX_DELIVERY = 10_000_000;

const Sha256Params = Type.Object({ sha256: Sha256 });

const DeliveredRoles = Type.Object(
  {
    roles: Type.Record(Type.String(), Envelope, {
      description: 'The new targets metadata of each delegated role, signed by its keys.',
    }),
  },
  { title: 'Delivery' },
);

/** Outcome of a supplier’s delivery: published, or the missing images. */
export const DeliveryOutcome = Type.Object(
  {
    state: Type.Enum(['published', 'incomplete'], {
      description: 'Incomplete: upload the missing images, then repeat the delivery.',
    }),
    roles: Type.Array(Type.Object({ role: Type.String(), version: Type.Integer() })),
    missing: Type.Array(
      Type.Object({
        role: Type.String(),
        path: Type.String({ description: 'Target path.' }),
        sha256: Type.String(),
        length: Type.Integer({ description: 'Bytes.' }),
      }),
      { description: 'Images listed in the metadata that have not been uploaded.' },
    ),
  },
  { title: 'DeliveryOutcome' },
);
/** A value that fits the schema {@link DeliveryOutcome}. */
export type DeliveryOutcome = Type.Static<typeof DeliveryOutcome>;

/** Routes of the image repository, for vehicles, suppliers and people. */
export const imageRepositoryApi = routesOf('Image repository', {
  getImageMetadata: {
    method: 'GET',
    path: '/uptane/image/metadata/{file}',
    permission: 'open',
    scope: 'none',
    summary: 'Fetch a metadata file of the image repository',
    description:
      'A file with a version in its name never changes. Images are under /uptane/image/targets/ (POUF, section 1); ranges are supported.',
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
    scope: 'unscoped-only',
    summary: 'Get the state of the image repository: roles, versions, expiries, signers, proposal',
    answer: json(ImageRepositoryStatus, 'The current state.'),
    errors: ['METADATA_NOT_FOUND'],
  },
  deliver: {
    method: 'POST',
    path: '/v1.0/image-repository/deliveries',
    permission: 'supply',
    scope: 'unscoped-only',
    audit: 'deliver',
    summary: 'Deliver new targets metadata of delegated roles, signed by their keys',
    description:
      'A delivery is authorised by its signatures, along the delegations: each role needs signatures by the threshold of its keys, a higher version than the published one, and an expiry. It may list only images whose path and hardware are delegated to it and that vehicles resolve to this role by priority and terminating delegations. Once all its images are uploaded, the metadata is published unchanged, with a new snapshot and timestamp. Repeating a delivery changes nothing.',
    body: signedJsonBody(DeliveredRoles, 'Roles with their files (POUF, section 5).', MAX_DELIVERY),
    answer: json(DeliveryOutcome, 'Published, or the missing images.'),
    errors: ['DELIVERY_REFUSED', 'CLOCK_WRONG'],
    repeatable: true,
  },
  uploadDeliveredImage: {
    audit: 'upload-image',
    method: 'PUT',
    path: '/v1.0/image-repository/images/{sha256}',
    permission: 'supply',
    scope: 'unscoped-only',
    summary: 'Upload an image that a delivery lists',
    description: 'Accepted only for images that were missing from a delivery within the last week.',
    params: Sha256Params,
    body: bytesBody('The bytes of the image.'),
    answer: empty('Stored.'),
    errors: ['DELIVERY_REFUSED', 'ARTIFACT_REFUSED', 'QUOTA_EXCEEDED'],
  },
});
