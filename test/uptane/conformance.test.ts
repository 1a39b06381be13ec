/** The public TUF conformance suite, at full depth; our own tests cover its cases in a quick run. */
import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { isFullDepth } from '../support/depth.js';

/** Exit code of the script if the suite is unavailable: it is not a package, and not every machine reaches GitHub. */
const NO_SUITE = 3;

test.runIf(isFullDepth)(
  'all cases of tuf-conformance pass',
  async () => {
    const suite = spawn(process.execPath, ['scripts/tuf-conformance.mjs'], { stdio: 'inherit' });
    const code = await new Promise((resolve) => suite.on('exit', resolve));
    if (code === NO_SUITE) console.warn('SKIPPED: the TUF conformance suite cannot be cloned');
    else expect(code).toBe(0);
  },
  60 * 60_000,
);
