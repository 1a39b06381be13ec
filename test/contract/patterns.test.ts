/** The rejection of a malformed text describes the format of that field. */
import { expect, test } from 'vitest';
import Type from 'typebox';
import {
  checkOf,
  Identifier,
  StateName,
  SystemId,
  Vin,
  VEHICLE_STATES,
} from '../../src/contract/index.js';
import { Artifact, DailyWindow, EcuName, Version } from '../../src/update-script/index.js';

test.each<[what: string, schema: Type.TSchema, value: unknown, message: RegExp]>([
  ['a VIN', Vin, 'X', /^must be a VIN: 17 of/],
  [
    'an identifier',
    Identifier('e.g. a ref-id'),
    'a\u0007',
    /^must not contain control characters$/,
  ],
  ['a system_id', SystemId, 'a/b', /topics$/],
  ['a state', StateName(VEHICLE_STATES, ''), 'sucess', /^must be one of pending, .*success/],
  ['an ECU', EcuName, 'a b', /^must be 1 to 64 letters, digits, _ or -/],
  ['a version', Version, '1.0 beta', /^must be a version/],
  ['an artifact', Artifact, { sha256: 'x', md5: '0'.repeat(32), size: 1 }, /SHA-256: 64/],
  [
    'a window',
    DailyWindow,
    { from: '25:00', to: '06:00' },
    /^must be a time of day such as 22:00$/,
  ],
  ['a form without words', Type.String({ pattern: '^x$' }), 'y', /^must match the pattern \^x\$$/],
])('the format of %s is described', (_what, schema, value, message) => {
  const errors = checkOf(schema).errors(value);
  expect(errors).toHaveLength(1);
  expect(errors[0]?.message).toMatch(message);
});
