/** The TUF version of our metadata format. */
export const SPEC_VERSION = '1.0.34';
