/** The image repository and its ceremonies, as other parts use it. */
export {
  addTarget,
  type Change,
  changeKeys,
  inOrder,
  moveDelegation,
  removeDelegation,
  removeTarget,
  revokeKey,
  rolesOfKey,
  setDelegation,
} from './changes.js';
export { type DeliveredImage, type Delivery, readDelivery } from './delivery.js';
export { describeImage } from './describe-image.js';
export { RepositoryFault } from './fault.js';
export { fetchImages } from './fetch-images.js';
export { fetchRepository } from './fetch-repository.js';
export { FolderFiles } from './folder-files.js';
export { exclusively } from './lock.js';
export { DEFAULT_PERIODS, daysUntil, LONGEST_PERIOD, type Periods } from './periods.js';
export { readDelegationFile } from './delegation-file.js';
export { imageFiles, proposedImage } from './names.js';
export { ImageRepository } from './repository.js';
export { type Review, signableBy, signReviewed } from './review.js';
export { TOP_ROLES, type TopRole } from './role-keys.js';
export { SigningRecord } from './signing-record.js';
export { signersOf } from './signatures.js';
export {
  expiryNotice,
  keysByRole,
  OFFLINE_NOTICE_DAYS,
  type RepositoryStatus,
  validityOf,
} from './status.js';
export { type TargetContent } from './targets-content.js';
