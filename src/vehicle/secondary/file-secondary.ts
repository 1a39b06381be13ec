/** A Secondary in its own process, with its software in files or behind a command for real hardware. */
import { CommandInstaller, fileInstaller } from '../installer/index.js';
import { openSecondary } from '../provisioning/open-ecus.js';
import { type EcuIdentity } from '../ecu/ecu-identity.js';
import { secondaryFiles } from '../provisioning/provision.js';
import { type EcuRejection, type Secondary } from './secondary.js';

/** Folder and software of an ECU in its own process. */
export interface FileSecondaryOptions {
  /** Provisioned by `provisionSecondary`. */
  readonly directory: string;
  /** See `CommandInstaller`; without it, the ECU's slots are files. */
  readonly installerCommand?: string | undefined;
  /** See `fileInstaller`. */
  readonly healthCommand?: string | undefined;
  /** Called with each refusal. */
  readonly onRefused?: ((refusal: EcuRejection) => void) | undefined;
}

/** Opens a Secondary provisioned in a folder. @throws ProvisioningFault */
export function openFileSecondary(options: FileSecondaryOptions): {
  readonly secondary: Secondary;
  readonly identity: EcuIdentity;
} {
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
