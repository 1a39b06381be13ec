// @ts-check
/** A vehicle that kills itself at a given entry of its journal, or is killed from outside. */
import * as ours from 'otaops/vehicle';
import { live, settingsOfProcess } from './mortal.mjs';

/** @type {import('./mortal.mjs').Mortal & { killBefore?: boolean, sick?: string, bytesPerSecond?: number }} */
const settings = settingsOfProcess();
const { killAt, killBefore, sick, bytesPerSecond } = settings;

let entries = 0;
const { append } = ours.FileJournal.prototype;
/** @param {Parameters<typeof append>[0]} entry */
ours.FileJournal.prototype.append = function (entry) {
  entries += 1;
  const isTime = entries === killAt;
  if (isTime && killBefore) process.kill(process.pid, 'SIGKILL');
  append.call(this, entry);
  if (isTime) process.kill(process.pid, 'SIGKILL');
};

console.log('on');
await live(ours, settings, {
  healthCommand: sick && `test "$OTAOPS_VERSION" != "${sick}"`,
  bytesPerSecond,
  patience: { attempts: 8, pauseMs: 20 },
});
console.log(JSON.stringify({ entries }));
process.exit(0);
