import { type GuardTest } from '../../contract/carota-api/index.js';

/** The evidence after each vehicle, with the bounds for stop and go. Pure. */
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
