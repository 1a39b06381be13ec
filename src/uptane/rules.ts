/** The differences between Uptane with our POUF and plain TUF 1.0. */

export interface Rules {
  /** Every key id must be the SHA-256 of its key. TUF leaves the choice of key ids to the repository. */
  readonly keyIdIsDigest: boolean;
  /** Two signatures under one key id: TUF refuses the file, the POUF counts the key once. */
  readonly repeatedSignatures: 'count-once' | 'refuse';
  readonly specVersion: RegExp;
  /** `false`: files without version numbers in their names are possible (TUF only). */
  readonly alwaysConsistentSnapshot: boolean;
  /** The timestamp must have length and hashes of the snapshot. */
  readonly timestampPinsSnapshot: boolean;
  /** TUF keeps its stored timestamp if another one has the same version; Uptane accepts the new one. */
  readonly sameTimestampVersion: 'take-new' | 'keep-stored';
  /**
   * Whether the delegations of a role that was reached by a terminating delegation are searched: TUF does,
   * Uptane ends the search at that role ("How to resolve delegations", step 3).
   */
  readonly searchBelowTerminating: boolean;
  /** `false`: a `delegations` member is not even read (Director). */
  readonly delegations: boolean;
  /** Delegations by `path_hash_prefixes` beside those by `paths` (TUF only). */
  readonly pathHashPrefixes: boolean;
  /** The trusted root must be signed by itself. The POUF trusts it as provisioned. */
  readonly verifyProvisionedRoot: boolean;
}

export const IMAGE_REPOSITORY: Rules = {
  keyIdIsDigest: true,
  repeatedSignatures: 'count-once',
  specVersion: /^1\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$/,
  alwaysConsistentSnapshot: true,
  timestampPinsSnapshot: true,
  sameTimestampVersion: 'take-new',
  searchBelowTerminating: false,
  delegations: true,
  pathHashPrefixes: false,
  verifyProvisionedRoot: false,
};

/** The Director must not delegate; `director/` refuses the member. */
export const DIRECTOR: Rules = { ...IMAGE_REPOSITORY, delegations: false };

export const TUF: Rules = {
  keyIdIsDigest: false,
  repeatedSignatures: 'refuse',
  // Repositories from before semantic versioning have `1.0`.
  specVersion: /^1\.(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))?$/,
  alwaysConsistentSnapshot: false,
  timestampPinsSnapshot: false,
  sameTimestampVersion: 'keep-stored',
  searchBelowTerminating: true,
  delegations: true,
  pathHashPrefixes: true,
  verifyProvisionedRoot: true,
};
