/** SoftHSM 2 with its own empty token and folder. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, ProgramMissing } from '../../../src/test-bed/index.js';
import { temporaryDirectory } from '../../support/servers.js';

export const PIN = '123456';

export interface SoftHsm {
  readonly modulePath: string;
  /** Path of its configuration. */
  readonly configuration: string;
  /** Adds another token. */
  addToken(label: string): void;
  /** Imports a private key in PKCS #8. */
  importKey(token: string, label: string, pem: string): void;
}

const MODULES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
  '/usr/lib64/softhsm/libsofthsm2.so',
];

/** Sets `SOFTHSM2_CONF` of this process, which the module reads at first use. @throws ProgramMissing */
export async function softHsm(): Promise<SoftHsm> {
  const modulePath = MODULES.find((path) => existsSync(path));
  if (modulePath === undefined || findProgram('softhsm2-util') === undefined) {
    throw new ProgramMissing('SoftHSM 2', 'apt-get install softhsm2');
  }
  const folder = temporaryDirectory('softhsm');
  const configuration = join(folder, 'softhsm2.conf');
  mkdirSync(join(folder, 'tokens'));
  writeFileSync(configuration, `directories.tokendir = ${folder}/tokens\nlog.level = ERROR\n`);
  process.env.SOFTHSM2_CONF = configuration;
  const util = (...args: string[]) =>
    execFileSync('softhsm2-util', args, {
      env: { ...process.env, SOFTHSM2_CONF: configuration },
      stdio: 'pipe',
    });
  let imports = 0;
  return {
    modulePath,
    configuration,
    addToken: (label) =>
      void util('--init-token', '--free', '--label', label, '--so-pin', PIN, '--pin', PIN),
    importKey: (token, label, pem) => {
      const file = join(folder, `import-${(imports += 1)}.pem`);
      writeFileSync(file, pem, { mode: 0o600 });
      const id = imports.toString(16).padStart(4, '0');
      util('--import', file, '--token', token, '--label', label, '--id', id, '--pin', PIN);
    },
  };
}
