/** Settings that contradict each other or name something unusable; they prevent the start. */
export class BadSettings extends Error {
  override readonly name = 'BadSettings';
}
