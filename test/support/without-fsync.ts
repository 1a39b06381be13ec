/**
 * Setup of all tests: `fsyncSync` does nothing in their own processes. It protects from a cut of the machine's power, which
 * only tests of separate processes have (chaos/power-cut); the kernel keeps what a killed process has written. It takes a
 * sixth of the processor time of tests that write durably, and longer still where the disk is slow.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

fs.fsyncSync = () => undefined;
syncBuiltinESMExports();
