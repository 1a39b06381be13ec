/** The reports of a vehicle about an update that succeeds without consent. */
export const SUCCESS: readonly string[] = [
  'received',
  'pki_check_success',
  'downloaded',
  'md5_check_success',
  'reboot',
  'success',
];
