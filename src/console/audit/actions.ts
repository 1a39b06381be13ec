/** Actions of the audit log in words; actions without words are shown unchanged. Pure. */
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
