/** CarOTA Server Event, `POST /v1.0/ota/trigger`: a schedule is due for these vehicles. */
import { MODEL, OTHER_VIN, REF_ID, SCRIPT_REF_ID, TRIGGERED_AT, VIN } from '../campaign.js';
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
        time: TRIGGERED_AT,
        version: PROTOCOL_VERSION,
        body: {
          model: MODEL,
          'ref-id': REF_ID,
          'script-ref-id': SCRIPT_REF_ID,
          vins: [VIN, OTHER_VIN],
        },
      },
    ],
  },
);
/** A value that fits the schema {@link CarOtaServerEvent}. */
export type CarOtaServerEvent = Type.Static<typeof CarOtaServerEvent>;
