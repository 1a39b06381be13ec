/** Actions of the audit log in words; those without any are shown as they are. Pure. */
const WORDS: Readonly<Record<string, string>> = {
  'register-ecus': 'ECUs registered',
  'replace-ecu': 'ECU replaced',
  'report-attack': 'Attack reported',
  deliver: 'Delivery accepted',
  'refuse-delivery': 'Delivery refused',
  'erase-vehicle': 'Vehicle erased',
  start: 'Server started',
};

export const actionName = (action: string): string => WORDS[action] ?? action;
