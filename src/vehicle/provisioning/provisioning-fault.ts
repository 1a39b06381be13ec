/** Provisioning data of a vehicle or an ECU is missing or invalid; the message names the file. */
export class ProvisioningFault extends Error {
  override readonly name = 'ProvisioningFault';
}
