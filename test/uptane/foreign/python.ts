/** Python with TUF's reference implementation and its cryptography, which create repositories for tests. */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProgramMissing } from '../../../src/test-bed/index.js';

/** @throws ProgramMissing */
export async function tufPython(): Promise<string> {
  const folder = process.env.SYSTEM_TMPDIR ?? tmpdir();
  const python = process.env.TUF_PYTHON ?? join(folder, 'otaops-tuf-7.0.0', 'bin', 'python');
  if (existsSync(python)) return python;
  throw new ProgramMissing('the Python package tuf', 'node scripts/tuf-conformance.mjs install');
}
