/** The quickstart on a new data directory, in a separate process: the time a person waits after `npm start`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '../test-bed/index.js';
import { processorSeconds } from './processor-time.js';
import { atMost, type Figure, median } from './report.js';
import { type Run } from './run.js';

/** The same from `src` and from `dist`. */
const OWN_RELEASE = fileURLToPath(new URL('../..', import.meta.url));

interface StartTime {
  /** Until the first campaign can be seen in the console. */
  readonly seconds: number;
  /** Processor time of all its processes until then, seconds; NaN if it cannot be determined. */
  readonly processor: number;
}

/** Rounds of this release and, by turns, of the reference. */
export async function startFigures(run: Run): Promise<Figure[]> {
  const own: StartTime[] = [];
  const reference: StartTime[] = [];
  for (let round = 0; round < run.rounds; round++) {
    if (run.reference !== undefined) {
      const time = await startTime(run.reference);
      reference.push(time);
      run.tell(`  reference: ${textOf(time)}`);
    }
    const time = await startTime(OWN_RELEASE);
    own.push(time);
    run.tell(`  this: ${textOf(time)}`);
  }
  return [
    ...figuresOf('quickstart', own),
    ...(reference.length > 0
      ? [
          ...figuresOf('quickstart of the reference', reference),
          {
            what: 'quickstart: seconds / reference',
            value: median(
              own.map((time, round) => time.seconds / (reference[round]?.seconds ?? NaN)),
            ),
            unit: '',
            target: atMost(1.05),
          },
        ]
      : []),
  ];
}

const figuresOf = (what: string, times: readonly StartTime[]): Figure[] => [
  {
    what: `${what}: until its first campaign can be seen`,
    value: median(times.map(({ seconds }) => seconds)),
    unit: 's',
  },
  {
    what: `${what}: processor time until then`,
    value: median(times.map(({ processor }) => processor)),
    unit: 's',
  },
];

const textOf = ({ seconds, processor }: StartTime) =>
  `${seconds.toFixed(2)} s, ${processor.toFixed(2)} s of a processor`;

async function startTime(release: string): Promise<StartTime> {
  const directory = temporaryDirectory('start');
  const main = join(resolve(release), 'dist', 'cli', 'main.js');
  const start = performance.now();
  const child = spawn(
    process.execPath,
    [main, 'quickstart', '--data-dir', join(directory, 'data')],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  try {
    await waitForOutput(child, /Console\s+http:/);
    const seconds = (performance.now() - start) / 1000;
    return { seconds, processor: processorSeconds(child.pid ?? -1) ?? NaN };
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(directory, { recursive: true, force: true });
  }
}

function waitForOutput(child: ChildProcess, pattern: RegExp): Promise<void> {
  return new Promise((done, fail) => {
    let output = '';
    const take = (chunk: Buffer) => {
      output += chunk.toString();
      if (pattern.test(output)) done();
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.once('error', fail);
    child.once('exit', (code) => fail(new Error(`quickstart ended with ${code}:\n${output}`)));
  });
}
