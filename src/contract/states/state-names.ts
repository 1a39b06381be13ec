/** Schemas of the names that states have in answers. */
import Type from '../typebox.js';
import { DELIVERY_STATES, VEHICLE_STATES } from './vehicle-state.js';

/** Name of a delivery state (contract section 5.1). */
export const DeliveryStateName = Type.Enum([...DELIVERY_STATES], {
  title: 'DeliveryStateName',
  description: 'Progress of the trigger’s delivery (contract section 5.1).',
});

/** A status outside the enum is shown as `unknown(<number>)` (contract section 2). */
export const VehicleStateName = Type.Union(
  [
    Type.Enum(VEHICLE_STATES.filter((name) => name !== 'unknown')),
    Type.String({ pattern: '^unknown\\([0-9]{1,5}\\)$' }),
  ],
  {
    title: 'VehicleStateName',
    description:
      'State from the newest event or, without events, from the delivery (contract section 5).',
  },
);
