/** The rejected lines of an import: all are counted, the first ones are listed. */
import { MAX_REJECTED_LINES, type RejectedLine } from '../../contract/index.js';

export class Rejections {
  rejectedCount = 0;
  readonly rejected: RejectedLine[] = [];

  reject(line: number, errorCode: RejectedLine['errorCode'], errorMessage: string): void {
    this.rejectedCount += 1;
    if (this.rejected.length < MAX_REJECTED_LINES) {
      this.rejected.push({ line, errorCode, errorMessage });
    }
  }
}
