/**
 * Deliveries of suppliers over HTTP, authorised by their signatures along the delegations. Nothing of a delivery is stored
 * before it has passed every check, and nothing is published before its images are complete and verified.
 */
import { type DeliveryOutcome } from '../../contract/carota-api/index.js';
import { ImageCheck } from '../../uptane/image-check.js';
import { Refusal } from '../../uptane/refusal.js';
import {
  type DeliveredImage,
  type Delivery,
  type ImageRepository,
  readDelivery,
  RepositoryFault,
} from '../../uptane/repository/index.js';
import { type Signer } from '../../uptane/signing/index.js';
import { type Queryable } from '../../service/database/index.js';
import { type ArtifactStore } from '../artifacts/index.js';
import { expectImages, missingImages } from './expected-images.js';
import { recordImage } from './published-images.js';

/** The repository rejects the delivery; nothing has changed. One sentence per fault. */
export class DeliveryRefused extends Error {
  override readonly name = 'DeliveryRefused';

  constructor(readonly faults: readonly string[]) {
    super(faults.join('; '));
  }
}

export interface DeliveryResult extends Readonly<Omit<DeliveryOutcome, 'missing'>> {
  readonly missing: readonly DeliveredImage[];
}

export interface DeliveryParts {
  readonly repository: ImageRepository;
  readonly database: Queryable;
  readonly store: ArtifactStore;
  readonly online: () => Promise<readonly Signer[]>;
  readonly signingTime: () => Date;
  /** Serializes changes of the repository. */
  readonly exclusively: <T>(work: () => Promise<T>) => Promise<T>;
}

/** @throws DeliveryRefused, WrongClock, DatabaseError */
export async function takeDelivery(
  parts: DeliveryParts,
  bytes: Uint8Array,
): Promise<DeliveryResult> {
  try {
    return await take(parts, readDelivery(bytes));
  } catch (error) {
    if (error instanceof RepositoryFault) throw new DeliveryRefused(error.message.split('\n'));
    if (error instanceof Refusal) throw new DeliveryRefused([error.message]);
    throw error;
  }
}

async function take(parts: DeliveryParts, delivery: Delivery): Promise<DeliveryResult> {
  const { repository, database, store, online, signingTime, exclusively } = parts;
  const roles = [...delivery].map(([role, { content }]) => ({ role, version: content.version }));
  const images = await repository.checkDelivery(delivery, signingTime());
  if (images === undefined) return { state: 'published', roles, missing: [] };
  const incomplete = async (missing: readonly DeliveredImage[]): Promise<DeliveryResult> => {
    await expectImages(database, missing, signingTime().getTime());
    return { state: 'incomplete', roles, missing };
  };
  const missing = await missingImages(database, images);
  if (missing.length > 0) return incomplete(missing);
  for (const image of images) await checkBytes(store, image);
  return exclusively(async () => {
    // Nothing is deleted while the repository changes, but an image may have been deleted before.
    const deleted = await missingImages(database, images);
    if (deleted.length > 0) return incomplete(deleted);
    // Images come before the metadata that lists them.
    for (const { target } of images) {
      const sha256 = target.hashes.get('sha256') ?? '';
      await recordImage(database, target.path, [...target.hashes.values()], sha256);
    }
    // Checks everything again: another delivery may have been faster.
    await repository.deliver(delivery, await online(), signingTime());
    return { state: 'published', roles, missing: [] };
  });
}

/** The store has verified the SHA-256; the length and all other listed hashes must match too. @throws Refusal */
async function checkBytes(store: ArtifactStore, { target }: DeliveredImage): Promise<void> {
  const check = new ImageCheck(target, { repository: 'delivery', role: target.path });
  for await (const bytes of await store.read(target.hashes.get('sha256') ?? '', undefined)) {
    check.update(bytes as Uint8Array);
  }
  check.finish();
}
