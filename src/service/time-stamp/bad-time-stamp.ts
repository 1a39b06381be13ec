/** The answer is not a time stamp, does not match the request, or is not trusted; the message gives the reason. */
export class BadTimeStamp extends Error {
  override readonly name = 'BadTimeStamp';
}
