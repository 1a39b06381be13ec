/** Description files of ECUs: one for a vehicle, one for a Secondary in its own process. */
import Type from '../../contract/typebox.js';
import { checkOf, type Check, Pattern, Vin } from '../../contract/index.js';
import { EcuName, Version } from '../../contract/update-script/index.js';
import { ProvisioningFault } from './provisioning-fault.js';

/** The OTA manager's name; update scripts are its images. */
const OTA_MANAGER = 'OTA-MANAGER';

/** A serial number, a hardware id. */
const Name = Pattern(
  '^[^\\u0000-\\u001f\\u007f]{1,256}$',
  'must be 1 to 256 characters, and none of them a control character',
);
const Verification = Type.Enum(['full', 'partial']);

/** An ECU on the Primary's hardware, or one in its own process behind a socket. */
const EcuDescription = Type.Object(
  {
    serial: Name,
    name: EcuName,
    hardwareId: Name,
    isPrimary: Type.Optional(Type.Boolean()),
    /** Socket of its process; without it, the ECU shares the Primary's hardware. */
    socket: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    /** Version of its factory software. */
    version: Type.Optional(Version),
    verification: Type.Optional(Verification),
  },
  { additionalProperties: false },
);
export type EcuDescription = Type.Static<typeof EcuDescription>;

const VehicleDescription = Type.Object(
  { vin: Vin, ecus: Type.Array(EcuDescription, { minItems: 1, maxItems: 100 }) },
  { additionalProperties: false },
);
export type VehicleDescription = Type.Static<typeof VehicleDescription>;

const SecondaryDescription = Type.Object(
  {
    vin: Vin,
    serial: Name,
    name: EcuName,
    hardwareId: Name,
    version: Type.Optional(Version),
    verification: Type.Optional(Verification),
  },
  { additionalProperties: false },
);
export type SecondaryDescription = Type.Static<typeof SecondaryDescription>;

const vehicleCheck = checkOf(VehicleDescription);
const secondaryCheck = checkOf(SecondaryDescription);

/** @param name of the file, for messages @throws ProvisioningFault */
export function readVehicleDescription(bytes: Uint8Array, name: string): VehicleDescription {
  const vehicle = checked(bytes, vehicleCheck, name);
  const bad = (fault: string) => new ProvisioningFault(`${name}: ${fault}`);
  const primaries = vehicle.ecus.filter(({ isPrimary }) => isPrimary);
  const [primary] = primaries;
  if (primaries.length !== 1 || !primary) {
    throw bad(`exactly one ECU must have "isPrimary": true, not ${primaries.length}`);
  }
  if (primary.name !== OTA_MANAGER) throw bad(`the Primary's name must be ${OTA_MANAGER}`);
  if (primary.socket !== undefined) throw bad('the Primary is this process: it has no socket');
  for (const member of ['serial', 'name', 'socket'] as const) {
    const values = vehicle.ecus.map((ecu) => ecu[member]).filter((value) => value !== undefined);
    const twice = values.find((value, place) => values.indexOf(value) !== place);
    if (twice !== undefined) throw bad(`two ECUs have the ${member} ${twice}`);
  }
  return vehicle;
}

/** @param name of the file, for messages @throws ProvisioningFault */
export const readSecondaryDescription = (bytes: Uint8Array, name: string): SecondaryDescription =>
  checked(bytes, secondaryCheck, name);

function checked<T>(bytes: Uint8Array, check: Check<T>, name: string): T {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString());
  } catch (error) {
    throw new ProvisioningFault(`${name} is not JSON: ${(error as Error).message}`);
  }
  if (check.matches(value)) return value;
  const [fault] = check.errors(value);
  throw new ProvisioningFault(`${name}: ${fault?.path ?? ''} ${fault?.message ?? 'is wrong'}`);
}
