/** A Secondary in a process of its own, with its software in files or behind a command for real hardware. */
import { type Refusal } from '../../uptane/refusal.js';
import { CommandInstaller, fileInstaller } from '../installer/index.js';
import { openSecondary } from '../provisioning/open-ecus.js';
import { secondaryFiles } from '../provisioning/provision.js';

export interface FileSecondaryOptions {
  /** Provisioned by `provisionSecondary`. */
  readonly directory: string;
  /** See `CommandInstaller`; without it, the ECU's slots are files. */
  readonly installerCommand?: string | undefined;
  /** See `fileInstaller`. */
  readonly healthCommand?: string | undefined;
  readonly onRefused?: ((refusal: Refusal) => void) | undefined;
}

/** @throws ProvisioningFault */
export function openFileSecondary(options: FileSecondaryOptions) {
  const { directory, installerCommand, healthCommand, onRefused } = options;
  return openSecondary({
    directory,
    onRefused,
    installerOf: (ecu, version) =>
      installerCommand === undefined
        ? fileInstaller({
            directory: secondaryFiles(directory).slots,
            ecus: version === undefined ? [] : [{ ecu, version }],
            healthCommand,
          })
        : new CommandInstaller(installerCommand),
  });
}
