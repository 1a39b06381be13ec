/** The Director: cycles a second, each a manifest of three ECUs, then timestamp, snapshot and targets of an update. */
import { DirectorRig, type Measured } from './director-rig.js';
import { type Figure, median } from './report.js';
import { type Run } from './run.js';

export interface DirectorFigures {
  /** Medians of the rounds. */
  readonly cyclesPerSecond: number;
  /** Processor time of a cycle, µs; NaN if it cannot be determined. */
  readonly carota: number;
  readonly postgres: number;
  readonly load: number;
  /** Bytes of a cycle on the wire, headers not included. */
  readonly sent: number;
  readonly received: number;
  /** Cycles per second in which every file is signed again. */
  readonly signedAnew: number;
}

/** Of a vehicle in a round. */
const CYCLES = 3;

export async function directorFigures(rounds: number): Promise<DirectorFigures> {
  const rig = await DirectorRig.start();
  try {
    const measured: Measured[] = [];
    for (let round = 0; round < rounds; round++) measured.push(await rig.run(CYCLES));
    const anew: Measured[] = [];
    for (let round = 0; round < rounds; round++) {
      await rig.expireFiles();
      anew.push(await rig.run(1));
    }
    return {
      cyclesPerSecond: median(measured.map(perSecond)),
      carota: median(measured.map(({ carota, cycles }) => micros(carota, cycles))),
      postgres: median(measured.map(({ postgres, cycles }) => micros(postgres, cycles))),
      load: median(measured.map(({ load, cycles }) => micros(load, cycles))),
      sent: median(measured.map(({ sent, cycles }) => sent / cycles)),
      received: median(measured.map(({ received, cycles }) => received / cycles)),
      signedAnew: median(anew.map(perSecond)),
    };
  } finally {
    await rig.end();
  }
}

/** The same load, round by round, on the server of another release and on this one. */
export async function compareDirector(release: string, run: Run): Promise<Figure[]> {
  const mine = await DirectorRig.start();
  try {
    const reference = await DirectorRig.start(release);
    try {
      return await alternate(mine, reference, run);
    } finally {
      await reference.end();
    }
  } finally {
    await mine.end();
  }
}

async function alternate(mine: DirectorRig, reference: DirectorRig, run: Run): Promise<Figure[]> {
  const costs = { mine: [] as Cost[], reference: [] as Cost[] };
  for (let round = 0; round < run.rounds; round++) {
    const old = costOf(await reference.run(CYCLES));
    const own = costOf(await mine.run(CYCLES));
    run.tell(`  reference ${costText(old)}; this ${costText(own)}`);
    costs.reference.push(old);
    costs.mine.push(own);
  }
  const figure = (whose: 'mine' | 'reference', part: keyof Cost): Figure => ({
    what: `director: processor time of ${NAMES[part]}, ${whose === 'mine' ? 'this release' : 'reference'}`,
    value: median(costs[whose].map((cost) => cost[part])),
    unit: 'µs/cycle',
  });
  return [
    figure('reference', 'carota'),
    figure('mine', 'carota'),
    figure('reference', 'postgres'),
    figure('mine', 'postgres'),
  ];
}

/** Of a cycle, µs of processor time. */
interface Cost {
  readonly carota: number;
  readonly postgres: number;
}

const NAMES = { carota: 'the CarOTA Server', postgres: 'PostgreSQL' } as const;

const costOf = ({ carota, postgres, cycles }: Measured): Cost => ({
  carota: micros(carota, cycles),
  postgres: micros(postgres, cycles),
});

const costText = ({ carota, postgres }: Cost) =>
  `${Math.round(carota)} + ${Math.round(postgres)} µs/cycle`;

const perSecond = ({ cycles, seconds }: Measured) => cycles / seconds;

const micros = (seconds: number, cycles: number) => (seconds / cycles) * 1e6;
