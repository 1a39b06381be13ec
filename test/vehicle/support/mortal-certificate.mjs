// @ts-check
/** A vehicle that enrols and renews its certificate once, and kills itself at a given operation on its files. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { settingsOfProcess } from './mortal.mjs';

/** @type {{ directory: string, url: string, systemId: string, code: string, ca: string, killAt?: number }} */
const { directory, url, systemId, code, ca, killAt = 0 } = settingsOfProcess();

let left = killAt;
for (const name of /** @type {const} */ (['fsyncSync', 'renameSync', 'unlinkSync'])) {
  const original = /** @type {(...given: any[]) => any} */ (fs[name]);
  /** @type {any} */ (fs)[name] = (/** @type {any[]} */ ...given) => {
    if (--left === 0) process.kill(process.pid, 'SIGKILL');
    return original(...given);
  };
}
syncBuiltinESMExports();

const { CertificateStore, ClientTls, EstClient, OwnCertificate } = await import('otaops/vehicle');
const tls = new ClientTls({ ca });
const store = new CertificateStore(directory);
let isEnrolled = store.read() !== undefined;
const own = new OwnCertificate({
  store,
  tls,
  systemId,
  client: new EstClient({ url: new URL(url), systemId, tls, code }),
  // A day ahead, so that any certificate is due for renewal.
  clock: () => Date.now() + 24 * 60 * 60 * 1000,
  onRenewed: () => {
    if (isEnrolled) process.exit(0);
    isEnrolled = true;
  },
  onFailure: (error) => console.error(error.message),
  pauseMs: 100,
});
await own.start();
// Renewal continues in the background, and its pauses alone do not keep the process alive.
setInterval(() => undefined, 1_000);
