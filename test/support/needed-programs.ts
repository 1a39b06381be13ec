/**
 * External programs without which a test file makes no sense: they are its subject, or the other side of what it tests.
 * If one is missing, the file is skipped, and a line says how to install it. (A file that needs one only for a part
 * calls `isInstalled` itself.)
 */
import { isInstalled } from './servers.js';

/** The Debian package of each. */
const PACKAGES = { bash: 'bash', curl: 'curl', openssl: 'openssl', python3: 'python3' } as const;
type Program = keyof typeof PACKAGES;

export const NEEDED: Readonly<Record<string, readonly Program[]>> = {
  'test/adapter/mutual-tls.test.ts': ['openssl'],
  'test/carota/bootstrap.test.ts': ['openssl', 'curl'],
  'test/carota/dossier/erasure.test.ts': ['python3'],
  'test/carota/dossier/time-stamp.test.ts': ['openssl'],
  'test/carota/enrolment.test.ts': ['openssl', 'curl'],
  'test/carota/foreign/openssl-supplier.test.ts': ['openssl', 'curl'],
  'test/carota/vehicle-chain.test.ts': ['openssl'],
  'test/carota/vehicle-port.test.ts': ['openssl', 'curl'],
  'test/cli/completion.test.ts': ['bash'],
  'test/cli/certificate-settings.test.ts': ['openssl'],
  'test/cli/dossier.test.ts': ['openssl'],
  'test/cli/passphrase.test.ts': ['python3'],
  'test/cli/pipes.test.ts': ['bash'],
  'test/end-to-end/mutual-tls.test.ts': ['openssl', 'curl'],
  'test/mosquitto-certificates.test.ts': ['openssl'],
  'test/service/audit/certificates.test.ts': ['openssl'],
  'test/service/audit/syslog-tls.test.ts': ['openssl'],
  'test/service/chain/python.test.ts': ['python3'],
  'test/service/secrets/stolen-database.test.ts': ['openssl'],
  'test/service/time-stamp/signer-path.test.ts': ['openssl'],
  'test/service/time-stamp/time-stamp.test.ts': ['openssl'],
  'test/service/tls/certificate.test.ts': ['openssl'],
  'test/service/tls/https.test.ts': ['openssl', 'curl'],
  'test/uptane/signing/kms.test.ts': ['openssl'],
  'test/uptane/signing/openssl-key-file.test.ts': ['openssl'],
  'test/vehicle/certificate-power-cuts.test.ts': ['openssl'],
  'test/vehicle/client-tls.test.ts': ['openssl'],
  'test/vehicle/own-certificate.test.ts': ['openssl'],
};

/** Files with a missing program. @throws ProgramMissing on CI, where every test runs */
export async function filesWithoutTheirPrograms(): Promise<string[]> {
  const missing = new Set<Program>();
  for (const [program, name] of Object.entries(PACKAGES) as [Program, string][]) {
    if (!(await isInstalled(program, `apt-get install ${name}`))) missing.add(program);
  }
  return Object.keys(NEEDED).filter((file) => NEEDED[file]?.some((one) => missing.has(one)));
}
