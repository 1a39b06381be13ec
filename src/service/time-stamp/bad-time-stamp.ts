/** The answer is no time stamp, not of what was asked, or not to be believed; the message says why. */
export class BadTimeStamp extends Error {
  override readonly name = 'BadTimeStamp';
}
