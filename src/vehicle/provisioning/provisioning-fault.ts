/** What a vehicle or an ECU was provisioned with is missing or wrong; the message names the file. */
export class ProvisioningFault extends Error {
  override readonly name = 'ProvisioningFault';
}
