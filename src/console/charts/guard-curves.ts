import { type GuardTest } from '../../contract/carota-api/index.js';

/** The evidence after each vehicle of the test, on both paths, with the bounds for stop and go. Pure. */
export function guardCurves({ path, stopAt, goAt }: GuardTest): {
  vehicles: number[];
  optimistic: number[];
  pessimistic: number[];
  stop: number[];
  go: number[];
} {
  const vehicles = [0, ...path.map((_, place) => place + 1)];
  return {
    vehicles,
    optimistic: [0, ...path.map(({ optimistic }) => optimistic)],
    pessimistic: [0, ...path.map(({ pessimistic }) => pessimistic)],
    stop: vehicles.map(() => stopAt),
    go: vehicles.map(() => goAt),
  };
}
