/** As `otaops repository status` shows a key id. Pure. */
const LENGTH = 12;

export const shortKey = (id: string): string => id.slice(0, LENGTH);
