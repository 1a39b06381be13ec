/** CarOTA Server Event, `POST /v1.0/ota/trigger`: a schedule is due for these vehicles. */
import Type from 'typebox';
import { DispatchOptions } from './dispatch-options.js';
import { PROTOCOL_VERSION } from '../mqtt/envelope.js';
import { Identifier } from '../values/text.js';
import { StorableUnixTime } from '../values/timestamp.js';
import { Vin } from '../values/vin.js';

/** Most vehicles in one event. */
export const MAX_TRIGGER_VINS = 1_000_000;

/** The CarOTA Server Event: body of `POST /v1.0/ota/trigger` (contract section 4). `time` is in ms. */
export const CarOtaServerEvent = Type.Object({
  time: StorableUnixTime('When the schedule was triggered.'),
  version: Type.Literal(PROTOCOL_VERSION),
  body: Type.Object({
    model: Identifier('Vehicle model.'),
    'ref-id': Identifier('The schedule, that is the operation.'),
    'script-ref-id': Identifier('The update script to run.'),
    vins: Type.Array(Vin, {
      minItems: 1,
      maxItems: MAX_TRIGGER_VINS,
      description: 'The vehicles. One that is named twice counts once.',
    }),
    dispatch: Type.Optional(DispatchOptions),
  }),
});
/** An event that fits the schema {@link CarOtaServerEvent}. */
export type CarOtaServerEvent = Type.Static<typeof CarOtaServerEvent>;
