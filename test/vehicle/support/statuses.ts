/** The statuses that a vehicle reports for a successful update without consent. */
export const SUCCESS: readonly string[] = [
  'received',
  'pki_check_success',
  'downloaded',
  'md5_check_success',
  'reboot',
  'success',
];
