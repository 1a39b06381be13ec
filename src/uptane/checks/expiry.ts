/** Whether a file has expired: now >= expires (POUF, section 3). */
import { type MetadataFile } from '../metadata/metadata-file.js';
import { Refusal } from '../refusal.js';

/** @throws Refusal `freeze` */
export function checkExpiry({ expires, subject }: MetadataFile, now: Date, check: string): void {
  if (now.getTime() < expires.getTime()) return;
  throw new Refusal(subject, {
    code: 'freeze',
    check,
    fault: 'has expired',
    expected: `a time of expiry after ${now.toISOString()}`,
    found: expires.toISOString(),
  });
}
