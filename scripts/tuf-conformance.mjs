// The public TUF conformance suite (github.com/theupdateframework/tuf-conformance) against `otaops tuf-client`.
//
//   node scripts/tuf-conformance.mjs            runs it; further arguments go to pytest, e.g. -k rollback
//   node scripts/tuf-conformance.mjs install    only installs the Python packages, which tests of ours use too
//
// TUF_CONFORMANCE=<folder> names a checkout of the suite; otherwise it is cloned. Needs Python 3.10 with venv, and
// faketime.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const COMMIT = 'eec841c';
const SUITE = 'https://github.com/theupdateframework/tuf-conformance';
/** What the suite wants; test/uptane/foreign/python.ts looks for it in this folder too. */
const PACKAGES = [
  'tuf==7.0.0',
  'securesystemslib[crypto]==1.4.0',
  'pytest==9.*',
  'pytest-json-report==1.5.*',
];
/** Exit code. */
const NO_SUITE = 3;
const folder = join(process.env.SYSTEM_TMPDIR ?? tmpdir(), 'otaops-tuf-7.0.0');
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

const run = (...command) =>
  spawnSync(command[0], command.slice(1), { stdio: 'inherit' }).status === 0;

function installPackages() {
  if (existsSync(join(folder, 'bin', 'pytest'))) return;
  console.log(`installing ${PACKAGES.join(', ')} into ${folder}`);
  const done =
    run('python3', '-m', 'venv', folder) &&
    run(join(folder, 'bin', 'pip'), 'install', '--quiet', ...PACKAGES);
  if (done) return;
  rmSync(folder, { recursive: true, force: true });
  throw new Error(
    'the Python packages cannot be installed: they need Python 3.10 with venv (apt-get install python3-venv) and PyPI',
  );
}

function suite() {
  if (process.env.TUF_CONFORMANCE) return process.env.TUF_CONFORMANCE;
  const checkout = join(folder, `tuf-conformance-${COMMIT}`);
  if (existsSync(join(checkout, 'tuf_conformance'))) return checkout;
  const done =
    run('git', 'clone', '--quiet', SUITE, checkout) &&
    run('git', '-C', checkout, 'checkout', '--quiet', COMMIT);
  if (done) return checkout;
  rmSync(checkout, { recursive: true, force: true });
  console.error(`${SUITE} cannot be cloned; TUF_CONFORMANCE=<folder> names a checkout`);
  process.exit(NO_SUITE);
}

/** The suite takes one program without arguments of its own. */
function entryPoint(work) {
  const program = join(work, 'tuf-client');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${main}' tuf-client "$@"\n`);
  chmodSync(program, 0o755);
  return program;
}

installPackages();
const args = process.argv.slice(2);
if (args[0] !== 'install') {
  const work = mkdtempSync(join(tmpdir(), 'otaops-conformance-'));
  try {
    const passed = run(
      join(folder, 'bin', 'pytest'),
      ...['-p', 'no:cacheprovider', '--entrypoint', entryPoint(work), '-q', ...args],
      join(suite(), 'tuf_conformance'),
    );
    process.exitCode = passed ? 0 : 1;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
