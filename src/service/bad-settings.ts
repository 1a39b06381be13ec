/** The settings contradict each other, or name something that cannot be used; the start is refused. */
export class BadSettings extends Error {
  override readonly name = 'BadSettings';
}
