/** `POST /v1.0/ota/trigger`: takes the CarOTA Server Event (contract section 4). */
import Type from '../typebox.js';
import { ErrorCodeName, json, jsonBody, LONG_LIST, routesOf } from '../http/index.js';
import { CarOtaServerEvent } from './carota-server-event.js';

const RejectedVehicle = Type.Object(
  {
    vin: Type.String(),
    errorCode: ErrorCodeName,
    errorMessage: Type.String(),
  },
  { title: 'RejectedVehicle' },
);

/** Answer to the CarOTA Server Event: how many vehicles are recorded. */
export const TriggerResult = Type.Object(
  {
    'ref-id': Type.String(),
    accepted: Type.Integer({ description: 'Vehicles added by this call.' }),
    rejectedCount: Type.Integer({ description: 'Number of vehicles missing from the registry.' }),
    rejected: Type.Array(RejectedVehicle, { description: 'The first 1,000 in VIN order.' }),
    alreadyIncluded: Type.Integer({
      description: 'Number of vehicles that were already in the operation.',
    }),
    repeated: Type.Integer({ description: 'Repetitions of a VIN within the request.' }),
  },
  {
    title: 'TriggerResult',
  },
);
/** A value that fits the schema {@link TriggerResult}. */
export type TriggerResult = Type.Static<typeof TriggerResult>;

/** Route of the CarOTA Server Event, which triggers updates. */
export const triggerApi = routesOf('Trigger', {
  trigger: {
    method: 'POST',
    path: '/v1.0/ota/trigger',
    permission: 'trigger',
    scope: 'filtered',
    audit: 'trigger',
    summary: 'Trigger an update for vehicles',
    description:
      'The server answers once every accepted vehicle is durably recorded. Idempotent: repeating the event adds only vehicles that are not yet in the operation. A vehicle missing from the registry is recorded as `device_not_found`; if it is registered while the operation is open, it is triggered then.',
    headers: Type.Object({
      traceparent: Type.Optional(
        Type.String({
          description:
            'W3C Trace Context of the caller. An invalid one is ignored, as the standard requires.',
        }),
      ),
    }),
    body: jsonBody(CarOtaServerEvent, 'The CarOTA Server Event.', LONG_LIST),
    answer: json(TriggerResult, 'Recorded; each vehicle will be sent its own OTA_TRIGGER.', 202),
    errors: ['OUT_OF_SCOPE', 'REF_ID_CONFLICT', 'OPERATION_CANCELLED', 'OPERATION_ARCHIVED'],
    repeatable: true,
  },
});
