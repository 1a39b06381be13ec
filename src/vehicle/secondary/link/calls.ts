/** The calls of the local link: request headers and maximum body lengths. */
import { LARGEST_SIGNED_TIME } from '../../../uptane/time/signed-time.js';
import { BUNDLE_LIMITS } from '../metadata-bundle.js';

/** Maximum request body by call, bytes; an image has the ordered length. */
export const REQUEST_LIMITS = {
  status: 0,
  nonce: 0,
  report: 0,
  takeTime: LARGEST_SIGNED_TIME,
  takeMetadata: BUNDLE_LIMITS.bytes,
  hasImage: 0,
  takeImage: Number.MAX_SAFE_INTEGER,
  version: 0,
  install: 0,
  activate: 0,
  check: 0,
  confirm: 0,
  revert: 0,
} as const;

export type Call = keyof typeof REQUEST_LIMITS;

export const isCall = (name: unknown): name is Call =>
  typeof name === 'string' && Object.hasOwn(REQUEST_LIMITS, name);

/** Maximum answer body, bytes: a version report. */
export const LARGEST_ANSWER = 64 * 1024;

/** A refusal or an error on the wire. */
export interface Failure {
  readonly message: string;
  /** For a refusal. */
  readonly code?: string;
  readonly attack?: string;
}
