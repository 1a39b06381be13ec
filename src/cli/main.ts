#!/usr/bin/env node
/** The process `otaops`. */
import { exitWhenWritten, onBrokenPipe } from './output.js';
import { run } from './program.js';

onBrokenPipe();
await exitWhenWritten(await run(process.argv.slice(2)));
