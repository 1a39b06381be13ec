/** What a vehicle reports of an update that succeeds, and for which nobody is asked. */
export const SUCCESS: readonly string[] = [
  'received',
  'pki_check_success',
  'downloaded',
  'md5_check_success',
  'reboot',
  'success',
];
