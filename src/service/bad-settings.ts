import { PlainHttpForbidden } from '../contract/index.js';

/** Settings that contradict each other or name something unusable; they prevent the start. */
export class BadSettings extends Error {
  override readonly name = 'BadSettings';
}

/** What is wrong with the address or token of a client, and the option that allows it if there is one. */
export function clientFault(error: unknown): string {
  const { message } = error as Error;
  return error instanceof PlainHttpForbidden ? `${message} (see --allow-plain-http)` : message;
}
