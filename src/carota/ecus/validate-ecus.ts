/** Rules for the ECUs of a vehicle that a schema cannot express. Pure. */
import { type EcuRegistration, type MetadataKey } from '../../contract/carota-api/index.js';
import { type FieldError } from '../../contract/index.js';
import { isUsable, SCHEMES } from '../../uptane/signing/listed-key.js';
import { keyIdOfListed } from '../../uptane/signing/signer.js';

/** The ECU that runs the OTA manager: update scripts are its images. */
const PRIMARY_NAME = 'OTA-MANAGER';

/** @returns the errors, each with the JSON Pointer of its field */
export function ecuErrors(ecus: readonly EcuRegistration[]): FieldError[] {
  const errors = ecus.flatMap((ecu, place) => [
    ...keyErrors(ecu.publicKey, `/ecus/${place}/publicKey`),
    ...textErrors(ecu, `/ecus/${place}`),
  ]);
  errors.push(
    ...repeated(ecus, 'serial', ({ serial }) => serial),
    ...repeated(ecus, 'name', ({ name }) => name),
    ...repeated(ecus, 'publicKey', ({ publicKey }) => keyIdOfListed(publicKey)),
  );
  for (const [place, { isPrimary, name }] of ecus.entries()) {
    if (isPrimary === (name === PRIMARY_NAME)) continue;
    const message = isPrimary
      ? `must be ${PRIMARY_NAME}: it is the Primary`
      : `must not be ${PRIMARY_NAME}, which is the Primary's`;
    errors.push({ path: `/ecus/${place}/name`, message });
  }
  const primaries = ecus.filter(({ isPrimary }) => isPrimary).length;
  if (primaries !== 1) {
    errors.push({ path: '/ecus', message: `must have one Primary, and has ${primaries}` });
  }
  return errors;
}

/** @param path of the key */
export function keyErrors(key: MetadataKey, path: string): FieldError[] {
  const scheme = SCHEMES[key.keytype];
  if (key.scheme !== scheme) {
    return [
      { path: `${path}/scheme`, message: `must be ${scheme} for a key of type ${key.keytype}` },
    ];
  }
  if (isUsable(key)) return [];
  const message = `is not a public key of type ${key.keytype} whose signatures can be trusted`;
  return [{ path: `${path}/keyval/public`, message }];
}

/**
 * Vehicles compare these texts by code point (Uptane, "Metadata structures").
 *
 * @param path of the ECU
 */
export function textErrors(
  ecu: Pick<EcuRegistration, 'serial' | 'hardwareId'>,
  path: string,
): FieldError[] {
  return (['serial', 'hardwareId'] as const)
    .filter((field) => ecu[field] !== ecu[field].normalize('NFC'))
    .map((field) => ({
      path: `${path}/${field}`,
      message: 'must be in Unicode Normalization Form C',
    }));
}

function* repeated(
  ecus: readonly EcuRegistration[],
  field: string,
  valueOf: (ecu: EcuRegistration) => string,
): Generator<FieldError> {
  const first = new Map<string, number>();
  for (const [place, ecu] of ecus.entries()) {
    const before = first.get(valueOf(ecu));
    if (before === undefined) first.set(valueOf(ecu), place);
    else yield { path: `/ecus/${place}/${field}`, message: `is already used by /ecus/${before}` };
  }
}
