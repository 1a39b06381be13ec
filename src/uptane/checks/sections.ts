/** The sections of the Uptane Standard 2.1.0, and of the POUF, that the checks come from. */

export const STANDARD = {
  rootSignature: 'Uptane, How to check Root metadata, step 2.3',
  rootVersion: 'Uptane, How to check Root metadata, step 2.4',
  rootExpiry: 'Uptane, How to check Root metadata, step 3',
  timestampSignature: 'Uptane, How to check Timestamp metadata, step 2',
  timestampVersion: 'Uptane, How to check Timestamp metadata, step 3',
  timestampExpiry: 'Uptane, How to check Timestamp metadata, step 4',
  snapshotPinned: 'Uptane, How to check Snapshot metadata, step 2',
  snapshotSignature: 'Uptane, How to check Snapshot metadata, step 3',
  snapshotVersion: 'Uptane, How to check Snapshot metadata, step 4',
  snapshotListedVersions: 'Uptane, How to check Snapshot metadata, step 5',
  snapshotListedFiles: 'Uptane, How to check Snapshot metadata, step 6',
  snapshotExpiry: 'Uptane, How to check Snapshot metadata, step 7',
  targetsPinned: 'Uptane, How to check Targets metadata, step 2',
  targetsSignature: 'Uptane, How to check Targets metadata, step 3',
  targetsVersion: 'Uptane, How to check Targets metadata, step 4',
  targetsExpiry: 'Uptane, How to check Targets metadata, step 5',
  directorDelegations: 'Uptane, How to check Targets metadata, step 6',
  directorRepeatedEcu: 'Uptane, How to check Targets metadata, step 7',
  directorUnknownEcu: 'Uptane, How to check Targets metadata, step 8',
  resolveDelegations: 'Uptane, How to resolve delegations',
  sameNonCustom: 'Uptane, Full verification, step 10.2.1',
  sameCustom: 'Uptane, Full verification, step 10.2.2',
  releaseCounter: 'Uptane, Full verification, step 10.2.3',
  imageFound: 'Uptane, Full verification, step 10.1',
  imageHardware: 'Uptane, Verify image, step 3',
  imageReleaseCounter: 'Uptane, Verify image, step 5',
  imageHashes: 'Uptane, Verify image, step 7',
  imageLength: 'Uptane, Verify image',
  imageAssigned: 'Uptane, Verify image, step 2',
  downloadSpeed: 'Uptane, In-vehicle implementation requirements',
} as const;

/** What the wire format adds; the project documents it as its POUF. */
export const POUF = {
  urls: 'POUF, section 1',
  metadata: 'POUF, sections 2 to 6',
  keyId: 'POUF, section 2',
  director: 'POUF, section 6',
  limits: 'POUF, section 7',
  client: 'POUF, section 8',
} as const;
