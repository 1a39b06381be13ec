/** Versions never decrease. */
import { type MetadataFile } from '../metadata/metadata-file.js';
import { Refusal } from '../refusal.js';

/** @throws Refusal `rollback` */
export function checkNotOlder(
  file: MetadataFile,
  previous: MetadataFile | undefined,
  check: string,
): void {
  if (previous === undefined || previous.version <= file.version) return;
  throw new Refusal(file.subject, {
    code: 'rollback',
    check,
    fault: 'is older than the trusted one',
    expected: `at least version ${previous.version}`,
    found: `version ${file.version}`,
  });
}
