/**
 * Setup of all tests: `fsyncSync` does nothing in the tests' own processes. It protects against power cuts, which only
 * tests with separate processes simulate (chaos/power-cut); the kernel keeps what a killed process has written. It
 * would take a sixth of the processor time of tests that write durably, and more on a slow disk.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

fs.fsyncSync = () => undefined;
syncBuiltinESMExports();
