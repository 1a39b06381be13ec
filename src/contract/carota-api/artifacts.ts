/** `/v1.0/artifacts`: the files that vehicles install. */
import Type from '../typebox.js';
import {
  bytesBody,
  empty,
  headersOnly,
  json,
  pageOf,
  PageQuery,
  routesOf,
  stream,
  Time,
} from '../http/index.js';
import { Artifact, Sha256 } from '../update-script/index.js';
import { Pattern } from '../values/pattern.js';
import { Text } from '../values/text.js';
import { Target, TargetQuery } from './image-repository.js';
import { MAX_UNIX_SECONDS } from '../values/timestamp.js';

/** An artifact as stored, with its download URL. */
export const StoredArtifact = Type.Object(
  {
    ...Artifact.properties,
    name: Type.String({ description: 'File name as uploaded; informational.' }),
    createdAt: Time,
    target: Type.Optional(Target),
    url: Type.Optional(
      Type.String({
        description:
          'Signed URL of the content, valid for a limited time; relative to this server unless it has a public URL. Absent if the token may only read: the URL is the permission to download.',
      }),
    ),
  },
  { title: 'StoredArtifact' },
);
/** A value that fits the schema {@link StoredArtifact}. */
export type StoredArtifact = Type.Static<typeof StoredArtifact>;

const Room = Type.Object(
  {
    number: Type.Integer({ minimum: 0 }),
    bytes: Type.Integer({ minimum: 0 }),
    maxNumber: Type.Integer({ minimum: 1 }),
    maxBytes: Type.Integer({ minimum: 1 }),
  },
  { title: 'Room' },
);

/** What artifacts and update scripts take. */
export const Storage = Type.Object(
  {
    artifacts: Room,
    scripts: Room,
    maxBytesPerToken: Type.Integer({
      minimum: 1,
      description: 'Limit for the artifacts uploaded with one token.',
    }),
  },
  { title: 'Storage' },
);
export type Storage = Type.Static<typeof Storage>;

const Sha256Params = Type.Object({ sha256: Sha256 });

/** Query of a signed URL: expiry and signature. */
export const SignedQuery = Type.Object({
  expires: Type.Integer({
    minimum: 0,
    maximum: MAX_UNIX_SECONDS,
    description: 'Unix time, seconds.',
  }),
  signature: Pattern('^[A-Za-z0-9_-]{1,100}$', 'must be the signature of a URL made here', {
    description: 'Signature that permits reading until `expires`.',
  }),
});
/** A value that fits the schema {@link SignedQuery}. */
export type SignedQuery = Type.Static<typeof SignedQuery>;

const IfNoneMatch = Type.Optional(
  Type.String({ description: 'An ETag, or `*`: 304 if the client has this content already.' }),
);

/** HEAD has no ranges (RFC 9110, section 14.2). */
const ContentHeadHeaders = Type.Object({ 'if-none-match': IfNoneMatch });

/** Headers of a download: ranges and validators (RFC 9110). */
export const ContentRequestHeaders = Type.Object({
  range: Type.Optional(
    Type.String({
      description:
        'One byte range (RFC 9110, section 14.2); a request for several ranges is answered with the complete content.',
      examples: ['bytes=1048576-'],
    }),
  ),
  'if-range': Type.Optional(
    Type.String({
      description: 'An ETag: the range is sent only if the content still matches it.',
    }),
  ),
  'if-none-match': IfNoneMatch,
});

/** A value that fits the schema {@link ContentRequestHeaders}. */
export type ContentRequestHeaders = Type.Static<typeof ContentRequestHeaders>;

const ETAG = {
  etag: Type.String({ description: 'The SHA-256 in quotes: the content never changes.' }),
  'cache-control': Type.String({ description: 'May be cached for a year.' }),
};
const ContentHeaders = Type.Object({
  ...ETAG,
  'accept-ranges': Type.String({ description: '`bytes`' }),
  'content-length': Type.Integer({ description: 'Bytes in this answer.' }),
});
const PartHeaders = Type.Object({
  ...ContentHeaders.properties,
  'content-range': Type.String({ examples: ['bytes 1048576-2097151/2097152'] }),
});
const OCTETS = 'application/octet-stream';

const content = {
  path: '/v1.0/artifacts/{sha256}/content',
  permission: 'open',
  scope: 'none',
  description:
    'The signature in the URL is the permission. GET supports Range and If-Range, both methods If-None-Match (RFC 9110); a cache in front may keep the content forever.',
  params: Sha256Params,
  query: SignedQuery,
} as const;
const CONTENT_ERRORS = ['URL_EXPIRED', 'ARTIFACT_NOT_FOUND', 'DATABASE_UNAVAILABLE'] as const;

const NOT_MODIFIED = {
  status: 304,
  description: 'The client already has this content.',
  headers: Type.Object(ETAG),
} as const;

/** Routes for artifacts. */
export const artifactApi = routesOf('Artifacts', {
  uploadArtifact: {
    method: 'POST',
    path: '/v1.0/artifacts',
    permission: 'plan',
    scope: 'unscoped-only',
    audit: 'upload-artifact',
    load: 'upload',
    summary: 'Upload an artifact: its bytes as the body',
    description:
      'Uploading the same bytes again yields the same artifact. With `sha256`, an upload damaged in transit is refused. With `hardwareIds` and `releaseCounter` the artifact becomes a target of the image repository.',
    query: Type.Object({
      name: Type.Optional(Text(256, 'Display name.')),
      sha256: Type.Optional(Sha256),
      ...TargetQuery,
      path: Type.Optional(
        Text(1_000, 'Target path in the image repository; default: artifacts/SHA-256.'),
      ),
    }),
    body: bytesBody('The bytes of the artifact.'),
    answer: json(StoredArtifact, 'The stored artifact.', 201),
    errors: ['ARTIFACT_REFUSED', 'TARGET_REFUSED', 'QUOTA_EXCEEDED', 'CLOCK_WRONG'],
    repeatable: true,
  },
  listArtifacts: {
    method: 'GET',
    path: '/v1.0/artifacts',
    permission: 'read',
    scope: 'unscoped-only',
    summary: 'List the artifacts, sorted by SHA-256',
    query: PageQuery,
    answer: json(pageOf(StoredArtifact), 'A page of artifacts.'),
  },
  getArtifact: {
    method: 'GET',
    path: '/v1.0/artifacts/{sha256}',
    permission: 'read',
    scope: 'unscoped-only',
    summary: 'Get an artifact and its download URL',
    params: Sha256Params,
    answer: json(StoredArtifact, 'The artifact.'),
    errors: ['ARTIFACT_NOT_FOUND'],
  },
  deleteArtifact: {
    method: 'DELETE',
    path: '/v1.0/artifacts/{sha256}',
    permission: 'plan',
    scope: 'unscoped-only',
    audit: 'delete-artifact',
    summary: 'Delete an unused artifact',
    description:
      'Refused while an update script uses the artifact, or published or proposed metadata of the image repository lists it. Its storage is freed immediately.',
    params: Sha256Params,
    answer: empty('Deleted.'),
    errors: ['ARTIFACT_NOT_FOUND', 'IN_USE', 'REPOSITORY_UNAVAILABLE'],
  },
  getStorage: {
    method: 'GET',
    path: '/v1.0/storage',
    permission: 'read',
    scope: 'unscoped-only',
    summary: 'Get the storage use and limits of artifacts and update scripts',
    answer: json(Storage, 'Current use, including uploads in progress.'),
  },
  getArtifactContent: {
    ...content,
    method: 'GET',
    headers: ContentRequestHeaders,
    errors: [...CONTENT_ERRORS, 'RANGE_NOT_SATISFIABLE'],
    summary: 'Download an artifact by its signed URL, in full or in part',
    answer: stream(OCTETS, 'The complete content.', undefined, ContentHeaders),
    otherAnswers: [
      {
        status: 206,
        description: 'The requested range.',
        mediaType: OCTETS,
        schema: Type.String({ format: 'binary' }),
        headers: PartHeaders,
      },
      NOT_MODIFIED,
    ],
  },
  headArtifactContent: {
    ...content,
    method: 'HEAD',
    headers: ContentHeadHeaders,
    errors: CONTENT_ERRORS,
    summary: 'Get the headers of a download',
    answer: headersOnly('Headers of the complete content; a range is ignored.', ContentHeaders),
    otherAnswers: [NOT_MODIFIED],
  },
});
