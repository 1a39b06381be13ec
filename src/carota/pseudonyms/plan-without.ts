/** Removes a vehicle's VIN from a schedule's plan, which remains valid. Pure. */
import { type SchedulePlan } from '../../contract/carota-api/index.js';

/**
 * Removes the vehicle from the waves that list it; a wave that lists no other vehicle gets a number of vehicles instead: 1.
 * Names that people have given to the schedule are not changed.
 *
 * @param vin in upper case
 */
export function planWithout(plan: SchedulePlan, vin: string, pseudonym: string): SchedulePlan {
  const { waves, filter } = plan;
  return {
    ...plan,
    ...(waves && {
      waves: waves.map((wave) => {
        const others = wave.vins?.filter((listed) => listed.toUpperCase() !== vin);
        if (!others || others.length === wave.vins?.length) return wave;
        return others.length > 0 ? { vins: others } : { vehicles: 1 };
      }),
    }),
    ...(filter?.tags && {
      filter: {
        ...filter,
        tags: filter.tags.map((tag) => tag.replaceAll(new RegExp(vin, 'gi'), pseudonym)),
      },
    }),
  };
}
