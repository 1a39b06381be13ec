/** Schemas of the names that states have in answers. */
import Type from '../typebox.js';
import { DELIVERY_STATES, VEHICLE_STATES } from './vehicle-state.js';

/** Name of a delivery state (contract section 5.1). */
export const DeliveryStateName = Type.Enum([...DELIVERY_STATES], {
  title: 'DeliveryStateName',
  description: 'How far the trigger has come (contract section 5.1).',
});

/** A status outside the enum is shown as `unknown(<number>)` (contract section 2). */
export const VehicleStateName = Type.Union(
  [
    Type.Enum(VEHICLE_STATES.filter((name) => name !== 'unknown')),
    Type.String({ pattern: '^unknown\\([0-9]{1,5}\\)$' }),
  ],
  {
    title: 'VehicleStateName',
    description: 'Of the newest event, else of the delivery (contract section 5).',
  },
);
