/** In which order the ECUs of a script are installed: pure. */
import { type EcuUpdate } from '../contract/update-script/index.js';

/**
 * Each ECU comes after those it names in `after`, otherwise in the script's order.
 *
 * @returns undefined if `after` forms a cycle
 */
export function installOrder(updates: readonly EcuUpdate[]): EcuUpdate[] | undefined {
  const named = new Set(updates.map(({ ecu }) => ecu));
  const done = new Set<string>();
  const order: EcuUpdate[] = [];
  while (order.length < updates.length) {
    const next = updates.find(
      ({ ecu, after = [] }) =>
        !done.has(ecu) && after.every((other) => done.has(other) || !named.has(other)),
    );
    if (!next) return undefined;
    done.add(next.ecu);
    order.push(next);
  }
  return order;
}
