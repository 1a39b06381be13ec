/** The version of TUF whose form our metadata has. */
export const SPEC_VERSION = '1.0.34';
