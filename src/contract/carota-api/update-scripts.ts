/** `/v1.0/update-scripts`: what a `script-ref-id` stands for. */
import { MODEL, SCRIPT_REF_ID } from '../campaign.js';
import Type from '../typebox.js';
import {
  empty,
  FieldFault,
  json,
  jsonBody,
  Nullable,
  pageOf,
  PageQuery,
  routesOf,
  Time,
} from '../http/index.js';
import { ArtifactLocations, UpdateScript } from '../update-script/index.js';
import { Target, TargetQuery } from './image-repository.js';
import { Approval } from './schedules.js';
import { Identifier } from '../values/text.js';

/** An update script as published. */
export const PublishedScript = Type.Object(
  {
    script: UpdateScript,
    createdAt: Time,
    sha256: Type.String({ description: 'SHA-256 of its file; needed for approval.' }),
    approvedAt: Nullable(
      Type.String({
        format: 'date-time',
        description: 'null: not approved; scripts need approval only if schedules do.',
      }),
    ),
    target: Type.Optional(Target),
  },
  { title: 'PublishedScript' },
);
/** A value that fits the schema {@link PublishedScript}. */
export type PublishedScript = Type.Static<typeof PublishedScript>;

/** Whether an update script is valid, and its faults. */
export const ScriptVerdict = Type.Object(
  {
    valid: Type.Boolean(),
    errors: Type.Array(FieldFault, { description: 'Empty if it is valid.' }),
  },
  { title: 'ScriptVerdict' },
);
/** A value that fits the schema {@link ScriptVerdict}. */
export type ScriptVerdict = Type.Static<typeof ScriptVerdict>;

const ScriptParams = Type.Object({ 'script-ref-id': Identifier('script-ref-id of the script.') });

/** Enough for a hundred ECUs with a thousand accepted versions each. */
const SCRIPT_LIMIT = { maxBytes: 8 * 1024 * 1024 };

/** Routes for update scripts. */
export const updateScriptApi = routesOf('Update scripts', {
  publishScript: {
    method: 'POST',
    path: '/v1.0/update-scripts',
    permission: 'plan',
    scope: 'unscoped-only',
    audit: 'publish-script',
    summary: 'Publish an update script',
    description:
      'A script never changes: publishing the same content again returns 200; different content under the same script-ref-id is refused. With `hardwareIds` (of the Primary) and `releaseCounter` the script becomes the target `scripts/SCRIPT-REF-ID.json` of the image repository.',
    query: Type.Object({ ...TargetQuery }),
    body: jsonBody(
      UpdateScript,
      'The script; its artifacts must have been uploaded.',
      SCRIPT_LIMIT,
    ),
    answer: json(PublishedScript, 'Published before, with the same content.'),
    otherAnswers: [{ status: 201, description: 'Published.', schema: PublishedScript }],
    errors: ['SCRIPT_EXISTS', 'TARGET_REFUSED', 'QUOTA_EXCEEDED', 'CLOCK_WRONG'],
    repeatable: true,
  },
  validateScript: {
    method: 'POST',
    path: '/v1.0/update-scripts/validate',
    permission: 'plan',
    scope: 'unscoped-only',
    unaudited: 'changes nothing',
    summary: 'Check an update script without publishing it',
    body: jsonBody(
      Type.Unknown({
        description: 'The UpdateScript to check.',
        examples: [{ version: 'v1', 'script-ref-id': SCRIPT_REF_ID, model: MODEL, ecus: [] }],
      }),
      'Any JSON value; the answer lists its errors.',
      SCRIPT_LIMIT,
    ),
    answer: json(ScriptVerdict, 'The verdict.'),
    repeatable: true,
  },
  listScripts: {
    method: 'GET',
    path: '/v1.0/update-scripts',
    permission: 'read',
    scope: 'filtered',
    summary: 'List the update scripts, sorted by script-ref-id',
    query: PageQuery,
    answer: json(pageOf(PublishedScript), 'A page of scripts.'),
  },
  getScript: {
    method: 'GET',
    path: '/v1.0/update-scripts/{script-ref-id}',
    permission: 'read',
    scope: 'update-script',
    summary: 'Read an update script',
    params: ScriptParams,
    answer: json(PublishedScript, 'The script.'),
    errors: ['SCRIPT_NOT_FOUND'],
  },
  approveScript: {
    method: 'POST',
    path: '/v1.0/update-scripts/{script-ref-id}/approve',
    permission: 'plan',
    scope: 'update-script',
    audit: 'approve-script',
    summary: 'Approve an update script by its SHA-256',
    description:
      'If schedules need approval, scripts need it too, by the same rule: a schedule cannot be approved before its script.',
    params: ScriptParams,
    body: jsonBody(Approval, 'The SHA-256 of the script.'),
    answer: json(PublishedScript, 'The approved script.'),
    errors: ['SCRIPT_NOT_FOUND', 'SECOND_PERSON_NEEDED', 'DIGEST_MISMATCH'],
    repeatable: true,
  },
  deleteScript: {
    method: 'DELETE',
    path: '/v1.0/update-scripts/{script-ref-id}',
    permission: 'plan',
    scope: 'unscoped-only',
    audit: 'delete-script',
    summary: 'Delete an unused update script',
    description:
      'Refused while a schedule uses the script, even one that has ended, or published or proposed metadata of the image repository lists it.',
    params: ScriptParams,
    answer: empty('Deleted.'),
    errors: ['SCRIPT_NOT_FOUND', 'IN_USE', 'REPOSITORY_UNAVAILABLE'],
  },
  locateArtifacts: {
    method: 'GET',
    path: '/v1.0/update-scripts/{script-ref-id}/artifacts',
    permission: 'fetch',
    scope: 'unscoped-only',
    summary: 'Get the download URLs of a script’s artifacts (for vehicles)',
    description:
      'Available to a vehicle while an approved, running schedule assigns it the script. The script itself is the target `scripts/SCRIPT-REF-ID.json` of the image repository, where it can be verified.',
    params: ScriptParams,
    answer: json(ArtifactLocations, 'The URLs.'),
    errors: ['SCRIPT_NOT_FOUND'],
  },
});
