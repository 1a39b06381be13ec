/** File ECUs with factory software, and a command that checks their health. */
import { resolve } from 'node:path';
import { FileInstaller } from './file-installer.js';
import { runCommand } from './run-command.js';

/** A file ECU's name and factory version. */
export interface FactorySoftware {
  readonly ecu: string;
  readonly version: string;
}

/** Directory and factory software of a vehicle's file ECUs. */
export interface FileEcusOptions {
  readonly directory: string;
  /** Provisioned if missing. */
  readonly ecus: readonly FactorySoftware[];
  /** Run with `OTAOPS_ECU`, `OTAOPS_VERSION`, `OTAOPS_FILE` (an absolute path); exits with 0 if the ECU is healthy. */
  readonly healthCommand?: string | undefined;
}

/** The installer of file ECUs; provisions factory software before it returns. */
export function fileInstaller({ directory, ecus, healthCommand }: FileEcusOptions): FileInstaller {
  const installer = new FileInstaller({
    directory,
    ...(healthCommand === undefined
      ? {}
      : {
          health: async ({ ecu, version, software }, signal) => {
            const facts = {
              OTAOPS_ECU: ecu,
              OTAOPS_VERSION: version,
              OTAOPS_FILE: resolve(software),
            };
            await runCommand(healthCommand, facts, signal);
          },
        }),
  });
  for (const { ecu, version } of ecus) installer.provision(ecu, version);
  return installer;
}
