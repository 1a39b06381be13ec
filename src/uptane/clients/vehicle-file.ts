/** The vehicle description used for provisioning (POUF, section 8). */
import { POUF } from '../checks/sections.js';
import { type Vehicle } from '../director/vehicle.js';
import { BadJson, parseJson } from '../json/parse-json.js';
import { Reader } from '../json/reader.js';
import { Refusal } from '../refusal.js';

const SUBJECT = { repository: 'local', role: 'vehicle file' };

/** @throws Refusal `malformed` */
export function readVehicle(bytes: Uint8Array): Vehicle {
  const file = new Reader(parsed(bytes), SUBJECT);
  file.member('primary').string();
  const ecus = new Map<string, string>();
  for (const ecu of file.member('ecus').items()) {
    const id = ecu.member('ecu_id');
    if (!isFileName(id.string())) id.refuse('a name that a file can have');
    if (ecus.has(id.string())) id.refuse('each ECU once');
    ecus.set(id.string(), ecu.member('hardware_id').string());
  }
  return { vin: file.member('vin').string(), ecus };
}

/** An ECU's image is a file under its identifier. */
const isFileName = (text: string): boolean =>
  text !== '' && !/^\.{1,2}$/.test(text) && !/[/\0]/.test(text) && Buffer.byteLength(text) <= 200;

function parsed(bytes: Uint8Array) {
  try {
    return parseJson(bytes);
  } catch (error) {
    if (!(error instanceof BadJson)) throw error;
    throw new Refusal(SUBJECT, { code: 'malformed', check: POUF.client, fault: error.message });
  }
}
