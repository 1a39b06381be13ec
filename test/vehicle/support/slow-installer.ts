/** An installer that takes its time. */
import { type Installer } from '../../../src/vehicle/index.js';

export function slow(real: Installer, ms: number) {
  const later = <T>(work: () => Promise<T>) =>
    new Promise<void>((resolve) => setTimeout(resolve, ms)).then(work);
  return {
    version: (ecu: string) => later(() => real.version(ecu)),
    install: (...what: Parameters<typeof real.install>) => later(() => real.install(...what)),
    activate: (...what: Parameters<typeof real.activate>) => later(() => real.activate(...what)),
    check: (...what: Parameters<typeof real.check>) => later(() => real.check(...what)),
    confirm: (...what: Parameters<typeof real.confirm>) => later(() => real.confirm(...what)),
    revert: (...what: Parameters<typeof real.revert>) => later(() => real.revert(...what)),
  };
}
