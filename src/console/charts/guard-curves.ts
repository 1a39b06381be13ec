import { type GuardTest } from '../../contract/carota-api/index.js';

/** Evidence after each vehicle, between the bound at which it stops and the one at which it goes on. Pure. */
export function guardCurves(
  { path, stopAt, goAt }: GuardTest,
  fromWave: number,
): [vehicles: number[], evidence: number[], stop: number[], go: number[]] {
  const points = path.filter((point) => point.fromWave === fromWave);
  const xs = [0, ...points.map(({ succeeded, failed }) => succeeded + failed)];
  return [
    xs,
    [0, ...points.map(({ evidence }) => evidence)],
    xs.map(() => stopAt),
    xs.map(() => goAt),
  ];
}
