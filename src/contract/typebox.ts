/**
 * The schema library, which all parts import from here. It consists of some 700 modules, and reading them took half of a
 * process's start: the build puts them into this one file (`scripts/bundle-typebox.mjs`).
 */
export { default } from 'typebox';
export type { Static, TSchema } from 'typebox';
export { Compile, type Validator } from 'typebox/compile';
export { Settings } from 'typebox/system';
export { Value } from 'typebox/value';
