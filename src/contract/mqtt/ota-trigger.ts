/** OTA TRIGGER, cloud to device: the trigger of one update in one vehicle. */
import Type from '../typebox.js';
import { type Message } from './envelope.js';
import { Identifier } from '../values/text.js';
import { Vin } from '../values/vin.js';

/** Body of an OTA_TRIGGER. */
export const OtaTriggerBody = Type.Object({
  model: Identifier('Vehicle model.'),
  'ref-id': Identifier('The schedule, that is the operation.'),
  'script-ref-id': Identifier('The update script to run.'),
  vin: Vin,
});
/** A body that fits the schema {@link OtaTriggerBody}. */
export type OtaTriggerBody = Type.Static<typeof OtaTriggerBody>;
/** An OTA_TRIGGER with its decoded body. */
export type OtaTrigger = Message<'OTA_TRIGGER', OtaTriggerBody>;
