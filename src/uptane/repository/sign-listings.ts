/** Signs snapshot and timestamp of a publication with online keys. */
import { onlineKeys } from '../checks/check-root.js';
import { readRoot } from '../metadata/root.js';
import { IMAGE_REPOSITORY } from '../rules.js';
import { signMetadata, type SignedPart, writeEnvelope } from '../signing/sign.js';
import { type Signer } from '../signing/signer.js';
import { RepositoryFault } from './fault.js';
import { nextSnapshot, nextTimestamp, versionsToList } from './listings.js';
import { metadataFile } from './names.js';
import { daysUntil, expiryAfter, type Periods } from './periods.js';
import { nextVersion } from './propose.js';
import { type Published } from './published.js';
import { authorityOf } from './role-keys.js';
import { type RootContent } from './root-content.js';
import { signatureState } from './signatures.js';
import { reachableRoles, type RepositoryState } from './state.js';

export interface FileToWrite {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface ListingRequest {
  readonly published: Published;
  /** Versions to be listed in snapshot and timestamp. */
  readonly after: RepositoryState;
  /** The root of clients after the publication. */
  readonly rootBytes: Uint8Array;
  readonly signers: readonly Signer[];
  readonly periods: Periods;
  readonly now: Date;
}

export interface Listings {
  /** `undefined`: the published file stays. */
  readonly snapshot: FileToWrite | undefined;
  readonly timestamp: FileToWrite;
}

/** @throws RepositoryFault if signers are missing */
export async function signListings(request: ListingRequest): Promise<Listings> {
  const { published, periods, now } = request;
  const versions = listedVersions(request);
  const isNew = needsSnapshot(request, versions);
  const snapshot = isNew
    ? {
        version: nextVersion('snapshot', published),
        bytes: await sign(
          'snapshot',
          nextSnapshot(
            nextVersion('snapshot', published),
            expiryAfter(now, periods.snapshot),
            versions,
          ),
          request,
        ),
      }
    : current(published);
  const signedTimestamp = nextTimestamp(
    (published.timestamp?.content.version ?? 0) + 1,
    expiryAfter(now, periods.timestamp),
    snapshot,
  );
  return {
    snapshot: isNew
      ? { path: metadataFile('snapshot', snapshot.version), bytes: snapshot.bytes }
      : undefined,
    timestamp: {
      path: metadataFile('timestamp'),
      bytes: await sign('timestamp', signedTimestamp, request),
    },
  };
}

function listedVersions({ published, after, rootBytes }: ListingRequest) {
  const reachable = new Map<string, number>();
  for (const role of reachableRoles(after)) {
    const version = after.targets.get(role)?.version;
    if (version !== undefined) reachable.set(role, version);
  }
  const keysOf = (bytes: Uint8Array) =>
    onlineKeys(readRoot(bytes, { repository: 'image', role: 'root' }, IMAGE_REPOSITORY));
  const haveChanged =
    published.root !== undefined && keysOf(published.root.bytes) !== keysOf(rootBytes);
  return versionsToList(published, reachable, haveChanged);
}

/** A snapshot is also renewed in the second half of its life, so that one missed refresh does no harm. */
function needsSnapshot(
  { published: { snapshot }, after: { root }, periods, now }: ListingRequest,
  versions: ReadonlyMap<string, number>,
): boolean {
  if (snapshot === undefined) return true;
  const { content, envelope } = snapshot;
  const isListedSame =
    content.versions.size === versions.size &&
    [...versions].every(([role, version]) => content.versions.get(role) === version);
  const authority = authorityOf(root.roles.snapshot, root.keys);
  return (
    !isListedSame ||
    signatureState(envelope, { by: 'root', authority }).missing > 0 ||
    daysUntil(content.expires, now) < periods.snapshot / 2
  );
}

function current({ snapshot }: Published) {
  if (snapshot === undefined) throw new Error('there is no published snapshot');
  return { version: snapshot.content.version, bytes: snapshot.bytes };
}

/** Signs with the role's keys and with those of the previous root, because vehicles may have either. */
async function sign(
  role: 'snapshot' | 'timestamp',
  signed: SignedPart,
  { published, after, signers }: ListingRequest,
): Promise<Uint8Array> {
  const keyIds = new Set(
    [after.root, published.root?.content].flatMap((root) => idsOf(role, root)),
  );
  const able = signers.filter(
    ({ keyId }, at) =>
      keyIds.has(keyId) && signers.findIndex((other) => other.keyId === keyId) === at,
  );
  const { keyIds: wanted, threshold } = after.root.roles[role];
  const count = able.filter(({ keyId }) => wanted.includes(keyId)).length;
  if (count < threshold) {
    throw new RepositoryFault(
      `the ${role} needs signatures by ${threshold} of the keys ${wanted.join(', ')}; ${count} of them can sign here`,
    );
  }
  return writeEnvelope(await signMetadata(signed, able));
}

const idsOf = (role: 'snapshot' | 'timestamp', root: RootContent | undefined) =>
  root?.roles[role].keyIds ?? [];
