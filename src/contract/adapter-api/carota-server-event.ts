/** CarOTA Server Event, `POST /v1.0/ota/trigger`: a schedule is due for these vehicles. */
import Type from '../typebox.js';
import { DispatchOptions } from './dispatch-options.js';
import { PROTOCOL_VERSION } from '../mqtt/envelope.js';
import { Identifier } from '../values/text.js';
import { StorableUnixTime } from '../values/timestamp.js';
import { Vin } from '../values/vin.js';

/** Most vehicles in one event. */
export const MAX_TRIGGER_VINS = 1_000_000;

/** Body of `POST /v1.0/ota/trigger` (contract section 4). */
export const CarOtaServerEvent = Type.Object(
  {
    time: StorableUnixTime('When the schedule was triggered.'),
    version: Type.Literal(PROTOCOL_VERSION),
    body: Type.Object({
      model: Identifier('Vehicle model.'),
      'ref-id': Identifier('Id of the schedule and its operation.'),
      'script-ref-id': Identifier('The update script to run.'),
      vins: Type.Array(Vin, {
        minItems: 1,
        maxItems: MAX_TRIGGER_VINS,
        description: 'The vehicles. A repeated VIN counts once.',
      }),
      dispatch: Type.Optional(DispatchOptions),
    }),
  },
  {
    title: 'CarOtaServerEvent',
    examples: [
      {
        time: 1625660275379,
        version: PROTOCOL_VERSION,
        body: {
          model: 'vehicle model a',
          'ref-id': 'schedule 0909',
          'script-ref-id': 'hu only 001',
          vins: ['5YJSA1E40FF345678', '5YJSA1E40FF345679'],
        },
      },
    ],
  },
);
/** A value that fits the schema {@link CarOtaServerEvent}. */
export type CarOtaServerEvent = Type.Static<typeof CarOtaServerEvent>;
