/** Python with paho-mqtt, for vehicles of other vendors. */
import { execFileSync } from 'node:child_process';
import { ProgramMissing } from '../../src/test-bed/index.js';

/** Debian's Python, which has its python3-paho-mqtt; else the first in the path. */
const PYTHONS = ['/usr/bin/python3', 'python3'];

/** @throws ProgramMissing */
export function pythonWithPaho(): string {
  const found = PYTHONS.find((program) => {
    try {
      execFileSync(program, ['-c', 'import paho.mqtt.client'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
  if (found === undefined) {
    throw new ProgramMissing('python3 with paho-mqtt', 'apt-get install python3-paho-mqtt');
  }
  return found;
}
