/** The calls of the local link: what a request's header says, and how much each may bring. */
import { LARGEST_SIGNED_TIME } from '../../../uptane/time/signed-time.js';
import { BUNDLE_LIMITS } from '../metadata-bundle.js';

/** Largest body of a request by call, bytes; an image has the length that is ordered. */
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

/** Largest body of an answer, bytes: a version report. */
export const LARGEST_ANSWER = 64 * 1024;

/** A refusal or an error on the wire. */
export interface Failure {
  readonly message: string;
  /** Of a refusal. */
  readonly code?: string;
  readonly attack?: string;
}
