/** `otaops bench`: performance on this machine, next to the limiting resource. */
import { writeFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { type Part, PARTS } from '../../bench/parts.js';
import { print, printError } from '../output.js';
import { addSettings, type Setting } from '../settings/index.js';
import { parseAtLeastOne as count } from '../settings/parsers.js';

interface BenchFlags {
  readonly benchParts: readonly Part[];
  readonly benchRounds: number;
  readonly benchEvents: number;
  readonly benchSizes: readonly number[];
  readonly benchHistory: readonly number[];
  readonly benchReference?: string;
  readonly benchVins: number;
  readonly benchGuardRuns: number;
  readonly benchMinutes: number;
  readonly benchJson?: string;
}

const parts = (text: string): readonly Part[] =>
  text.split(',').map((name) => {
    const part = PARTS.find((each) => each === name);
    if (!part) throw new InvalidArgumentError(`must be of ${PARTS.join(', ')}.`);
    return part;
  });

const SETTINGS: readonly Setting<unknown>[] = [
  {
    flag: '--bench-parts <names>',
    description: `comma-separated, of ${PARTS.join(', ')}`,
    default: PARTS,
    parse: parts,
  },
  {
    flag: '--bench-rounds <number>',
    description: 'number of rounds; the median is reported; three times as many in part history',
    default: 3,
    parse: count,
  },
  {
    flag: '--bench-events <number>',
    description:
      'events per round, or the number of vehicles in the operation; half of them in part history',
    default: 100_000,
    parse: count,
  },
  {
    flag: '--bench-sizes <numbers>',
    description:
      'vehicles of the operations in part sizes, comma-separated; console takes the largest',
    default: [10_000, 100_000, 1_000_000],
    parse: (text) => text.split(',').map(count),
  },
  {
    flag: '--bench-history <numbers>',
    description:
      'earlier messages in part history, comma-separated, ascending; 100 million need 50 GB in the temporary directory and about 20 minutes',
    default: [0, 10_000_000, 100_000_000],
    parse: (text) => text.split(',').map((size) => (size === '0' ? 0 : count(size))),
  },
  {
    flag: '--bench-reference <folder>',
    description:
      'directory of another built release: parts events, embedded, trigger, director and start alternate between both and add the comparison',
  },
  {
    flag: '--bench-vins <number>',
    description: 'VINs per trigger in part trigger',
    default: 100_000,
    parse: count,
  },
  {
    flag: '--bench-guard-runs <number>',
    description: 'simulated runs of each campaign in part guard; 2,000 take two minutes',
    default: 2_000,
    parse: count,
  },
  {
    flag: '--bench-minutes <number>',
    description: 'minutes of load in part console',
    default: 10,
    parse: count,
  },
  { flag: '--bench-json <file>', description: 'also write the results to this file, as JSON' },
];

export function benchCommand(program: Command): void {
  const command = program
    .command('bench')
    .description(
      'measure performance on this machine: starts its own PostgreSQL, Mosquitto and adapters',
    )
    .addHelpText(
      'after',
      `
Parts:
  events     events/s end to end on PostgreSQL and Mosquitto, and what limits them
  embedded   the same on the embedded database and broker
  trigger    seconds until a trigger is accepted, and until the last vehicle's is published
  latency    from an event's publishing until it can be read
  callback   events/s to a receiver of the event call-back
  sizes      events/s, memory of the adapter and queries by the size of the operation
  history    events/s and write-ahead log of an event by the number of earlier messages
  adapters   events/s with 1, 2 and 4 adapters
  guard      how far a bad update comes under the guard and under other rules
  director   cycles/s of vehicles at the Director: manifest, timestamp, snapshot, targets
  console    the operator's console in Chromium
  start      seconds from the start of the quickstart until its first campaign can be seen`,
    );
  addSettings(command, SETTINGS);
  command.action(async (flags: BenchFlags) => {
    const { bench, isReached, machine, table } = await import('../../bench/index.js');
    const on = machine(new Date());
    print(on);
    const figures = await bench({
      parts: flags.benchParts,
      rounds: flags.benchRounds,
      events: flags.benchEvents,
      sizes: flags.benchSizes,
      history: flags.benchHistory,
      reference: flags.benchReference,
      vins: flags.benchVins,
      guardRuns: flags.benchGuardRuns,
      minutes: flags.benchMinutes,
      tell: printError,
    });
    print(`\n${table(figures)}`);
    if (flags.benchJson !== undefined) {
      const json = {
        machine: on,
        at: new Date().toISOString(),
        rounds: flags.benchRounds,
        figures: figures.map((figure) => ({ ...figure, reached: isReached(figure) ?? null })),
      };
      await writeFile(flags.benchJson, `${JSON.stringify(json, null, 2)}\n`);
    }
  });
}
