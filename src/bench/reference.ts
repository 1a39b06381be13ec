/** Another release beside this one: the same load, alternately, so that a busy machine is busy for both. */
import { triggerTimes } from './campaign.js';
import { compareDirector } from './director.js';
import { type EventRates, eventsEndToEnd } from './events.js';
import { type Part } from './parts.js';
import { atLeast, atMost, type Figure, median } from './report.js';
import { Rig, type RigKind } from './rig.js';
import { type Run } from './run.js';

interface Pair {
  readonly mine: Rig;
  readonly reference: Rig;
}

/** Adds the ratios of a part to the figures; of a part that has none, nothing. */
export async function measureReference(part: Part, reference: string, run: Run): Promise<void> {
  switch (part) {
    case 'events':
      return compareEvents('PostgreSQL + Mosquitto', 10_000, 1.4, reference, run);
    case 'embedded':
      return compareEvents('embedded', 500, 1.5, reference, run);
    case 'trigger':
      return compareTrigger(reference, run);
    case 'director':
      run.figures.push(...(await compareDirector(reference, run)));
      return;
    default:
  }
}

async function withPair(
  kind: RigKind,
  release: string,
  work: (pair: Pair) => Promise<Figure[]>,
  run: Run,
): Promise<void> {
  const mine = await Rig.start(kind);
  try {
    const reference = await Rig.start(kind, { release });
    try {
      run.figures.push(...(await work({ mine, reference })));
    } finally {
      await reference.end();
    }
  } finally {
    await mine.end();
  }
}

async function compareEvents(
  kind: RigKind,
  vehicles: number,
  target: number,
  release: string,
  run: Run,
): Promise<void> {
  await withPair(
    kind,
    release,
    async ({ mine, reference }) => {
      for (const rig of [mine, reference]) {
        const vins = await rig.register(vehicles);
        const refId = 'compared';
        await rig.connectLoad(refId, await rig.pausedOperation(refId, vins), vehicles);
      }
      const ratios: number[] = [];
      const processor: number[] = [];
      for (let round = 0; round < run.rounds; round++) {
        const load = { from: round * run.events, events: run.events, rounds: 1 };
        const old = await eventsEndToEnd(reference, load);
        const own = await eventsEndToEnd(mine, load);
        run.tell(
          `  reference ${Math.round(old.perSecond)}, this ${Math.round(own.perSecond)} events/s; ` +
            `${total(old).toFixed(1)} and ${total(own).toFixed(1)} µs of a processor`,
        );
        ratios.push(own.perSecond / old.perSecond);
        processor.push(total(old) / total(own));
      }
      return [
        {
          what: `${kind}: events, end to end / reference`,
          value: median(ratios),
          unit: '',
          target: atLeast(target),
        },
        {
          what: `${kind}: processor time of the reference for an event / of this release`,
          value: median(processor),
          unit: '',
        },
      ];
    },
    run,
  );
}

/** Of an event, in all processes, µs. */
const total = ({ processor: { adapters, postgres, broker } }: EventRates): number =>
  adapters + postgres + broker;

async function compareTrigger(release: string, run: Run): Promise<void> {
  await withPair(
    'PostgreSQL + Mosquitto',
    release,
    async ({ mine, reference }) => {
      const vins = await mine.register(run.vins);
      await reference.register(run.vins);
      const ratios: number[] = [];
      for (let round = 0; round < run.rounds; round++) {
        const old = await triggerTimes(reference, vins, 1, round);
        const own = await triggerTimes(mine, vins, 1, round);
        ratios.push(own.published / old.published);
      }
      return [
        {
          what: `trigger of ${run.vins.toLocaleString('en-US')} VINs: seconds / reference`,
          value: median(ratios),
          unit: '',
          target: atMost(1.05),
        },
      ];
    },
    run,
  );
}
