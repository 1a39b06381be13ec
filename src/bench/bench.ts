/** `otaops bench`: all figures with their reference values, in one run. */
import { ANSWER_MS, callbackRates } from './call-back.js';
import { brokerLimit, type EventRates, eventsEndToEnd, sqlLimit } from './events.js';
import { eventLatency, progressQueryTime, summaryTime, triggerTimes } from './campaign.js';
import { ConsoleBench, type FirstPage, type Scrolled, type UnderLoad } from './console.js';
import { directorFigures } from './director.js';
import { startFigures } from './start.js';
import { measureReference } from './reference.js';
import { historyCosts } from './history.js';
import { GUARD_TEST, guardFigures } from './guard/index.js';
import { type Part } from './parts.js';
import { type BenchOptions, type Run } from './run.js';
import { atLeast, atMost, type Figure, percentile } from './report.js';
import { Rig, type RigKind } from './rig.js';

const OPERATION = 10_000;
const EMBEDDED_OPERATION = 500;
const LATENCY_SAMPLES = 300;
const QUERY_SAMPLES = 50;
const MB = 1024 * 1024;

/** Runs the parts. @throws ProgramMissing where a server is not installed */
export async function bench(options: BenchOptions): Promise<Figure[]> {
  const run = { ...options, figures: [] as Figure[] };
  for (const part of options.parts) {
    options.tell(`${part} …`);
    const before = run.figures.length;
    await MEASURE[part](run);
    if (run.reference !== undefined) await measureReference(part, run.reference, run);
    for (const { what, value, unit } of run.figures.slice(before)) {
      options.tell(`  ${what}: ${value.toFixed(2)} ${unit}`);
    }
  }
  return run.figures;
}

const MEASURE: Record<Part, (run: Run) => Promise<void>> = {
  events: (run) => measureEvents(run, 'PostgreSQL + Mosquitto', OPERATION, 20_000),
  embedded: (run) => measureEvents(run, 'embedded', EMBEDDED_OPERATION, 12_000),
  trigger: measureTrigger,
  latency: measureLatency,
  callback: measureCallback,
  sizes: measureSizes,
  history: measureHistory,
  adapters: measureAdapters,
  guard: measureGuard,
  director: measureDirector,
  console: measureConsole,
  start: async (run) => void run.figures.push(...(await startFigures(run))),
};

async function withRig<T>(kind: RigKind, work: (rig: Rig) => Promise<T>): Promise<T> {
  const rig = await Rig.start(kind);
  try {
    return await work(rig);
  } finally {
    await rig.end();
  }
}

/** A fleet, a paused operation for all of it, and the load connected. */
async function prepare(rig: Rig, vehicles: number) {
  const refId = `events-${vehicles}`;
  const vins = await rig.register(vehicles);
  const vehiclesFile = await rig.pausedOperation(refId, vins);
  await rig.connectLoad(refId, vehiclesFile, vehicles);
  return { refId, vehiclesFile, vehicles };
}

/** (a) and (b): end to end, and the limits beside it. */
async function measureEvents(
  run: Run,
  kind: RigKind,
  vehicles: number,
  target: number,
): Promise<void> {
  await withRig(kind, async (rig) => {
    const operation = await prepare(rig, vehicles);
    const rates = await eventsEndToEnd(rig, { from: 0, ...run, watchesLoop: true });
    const sql = await sqlLimit(rig, { vehicles, ...run });
    const broker = await brokerLimit(rig, operation, run);
    const perSecond = 'events/s';
    run.figures.push(
      {
        what: `${kind}: events, end to end`,
        value: rates.perSecond,
        unit: perSecond,
        target: atLeast(target),
      },
      { what: `${kind}: limit of the SQL statement, from memory`, value: sql, unit: perSecond },
      {
        what: `${kind}: limit of the broker, consumer only acknowledges`,
        value: broker,
        unit: perSecond,
      },
      {
        what: `${kind}: end to end / SQL limit`,
        value: rates.perSecond / sql,
        unit: '',
        ...(kind === 'embedded' ? {} : { target: atLeast(0.6) }),
      },
      ...processorFigures(kind, rates.processor),
      {
        what: `${kind}: event-loop delay p99 at full load`,
        value: rates.loopDelayP99,
        unit: 'ms',
        target: atMost(100),
      },
    );
  });
}

/** Where an event's processor time goes; the load's own is not in it. */
function processorFigures(kind: RigKind, processor: EventRates['processor']): Figure[] {
  const unit = 'µs/event';
  const of = `${kind}: processor time of`;
  const { adapters, postgres, broker } = processor;
  if (kind === 'embedded') {
    return [{ what: `${of} the adapter with database and broker`, value: adapters, unit }];
  }
  return [
    { what: `${of} the adapter`, value: adapters, unit },
    { what: `${of} PostgreSQL`, value: postgres, unit },
    { what: `${of} Mosquitto`, value: broker, unit },
  ];
}

/** (c) */
async function measureTrigger(run: Run): Promise<void> {
  await withRig('PostgreSQL + Mosquitto', async (rig) => {
    const vins = await rig.register(run.vins);
    const { accepted, published } = await triggerTimes(rig, vins, run.rounds);
    const of = `trigger of ${run.vins.toLocaleString('en-US')} VINs`;
    run.figures.push(
      { what: `${of}: until the 202`, value: accepted, unit: 's', target: atMost(2) },
      {
        what: `${of}: until the last is published`,
        value: published,
        unit: 's',
        target: atMost(8),
      },
    );
  });
}

/** (d) */
async function measureLatency(run: Run): Promise<void> {
  await withRig('PostgreSQL + Mosquitto', async (rig) => {
    const operation = await prepare(rig, OPERATION);
    const idle = await eventLatency(rig, operation, LATENCY_SAMPLES);
    const { perSecond } = await eventsEndToEnd(rig, { from: 0, ...run });
    await rig.connectLoad(operation.refId, operation.vehiclesFile, OPERATION);
    await rig.load.publishSteadily(0, perSecond / 2);
    const loaded = await eventLatency(rig, operation, LATENCY_SAMPLES);
    const load = `at ${Math.round(perSecond / 2)} events/s`;
    run.figures.push(
      { what: 'one event until visible, idle, p50', value: idle.p50, unit: 'ms' },
      { what: 'one event until visible, idle, p99', value: idle.p99, unit: 'ms' },
      { what: `one event until visible, ${load}, p50`, value: loaded.p50, unit: 'ms' },
      { what: `one event until visible, ${load}, p99`, value: loaded.p99, unit: 'ms' },
    );
  });
}

/** (g) */
async function measureCallback(run: Run): Promise<void> {
  for (const [kind, vehicles] of [
    ['PostgreSQL + Mosquitto', OPERATION],
    ['embedded', EMBEDDED_OPERATION],
  ] as const) {
    await withRig(kind, async (rig) => {
      await prepare(rig, vehicles);
      const { perSecond, httpAlone } = await callbackRates(rig, run);
      const to = `${kind}: call-back to a receiver that answers in ${ANSWER_MS} ms`;
      run.figures.push(
        { what: to, value: perSecond, unit: 'events/s', target: atLeast(5_000) },
        { what: `${to}, HTTP alone`, value: httpAlone, unit: 'events/s' },
      );
    });
  }
}

/** (e) */
async function measureSizes(run: Run): Promise<void> {
  const rates: number[] = [];
  for (const size of run.sizes) {
    await withRig('PostgreSQL + Mosquitto', async (rig) => {
      const operation = await prepare(rig, size);
      const events = Math.max(run.events, size);
      const { perSecond, adapterMemory } = await eventsEndToEnd(rig, { ...run, from: 0, events });
      const query = await progressQueryTime(rig, operation.refId, QUERY_SAMPLES);
      const summary = await summaryTime(rig, operation.refId);
      rates.push(perSecond);
      const of = `operation of ${size.toLocaleString('en-US')}`;
      run.figures.push(
        { what: `${of}: events`, value: perSecond, unit: 'events/s' },
        {
          what: `${of}: adapter’s memory`,
          value: adapterMemory / MB,
          unit: 'MB',
          target: atMost(250),
        },
        { what: `${of}: progress query`, value: query, unit: 'ms', target: atMost(20) },
        { what: `${of}: summary that is not kept`, value: summary / 1000, unit: 's' },
      );
    });
  }
  const [smallest, largest] = [rates[0], rates.at(-1)];
  if (smallest === undefined || largest === undefined || rates.length < 2) return;
  run.figures.push({
    what: 'cost of an event in the largest operation / in the smallest',
    value: smallest / largest,
    unit: '',
    target: atMost(1.3),
  });
}

/** The cost of an event must not depend on the number of earlier ones. */
async function measureHistory(run: Run): Promise<void> {
  const events = Math.ceil(run.events * HISTORY_SHARE);
  const rounds = run.rounds * HISTORY_ROUNDS;
  const costs = await historyCosts(run.history, { ...run, events, rounds });
  for (const { messages, perSecond, wal, processor } of costs) {
    const after = `after ${messages.toLocaleString('en-US')} messages`;
    run.figures.push(
      { what: `${after}: events`, value: perSecond, unit: 'events/s' },
      { what: `${after}: write-ahead log`, value: wal, unit: 'bytes/event' },
      { what: `${after}: processor time of PostgreSQL`, value: processor, unit: 'µs/event' },
    );
  }
  const [first, last] = [costs[0], costs.at(-1)];
  if (!first || !last || costs.length < 2) return;
  run.figures.push(
    {
      what: 'events/s with the longest history / with the shortest',
      value: last.perSecond / first.perSecond,
      unit: '',
      target: atLeast(0.9),
    },
    {
      what: 'write-ahead log with the longest history / with the shortest',
      value: last.wal / first.wal,
      unit: '',
      target: atMost(1.1),
    },
  );
}

/** Many short rounds, which alternate between the histories: of the events of a round, and times as many rounds. */
const HISTORY_SHARE = 0.5;
const HISTORY_ROUNDS = 3;

/** (f) */
async function measureAdapters(run: Run): Promise<void> {
  await withRig('PostgreSQL + Mosquitto', async (rig) => {
    await prepare(rig, OPERATION);
    let from = 0;
    for (const adapters of [1, 2, 4]) {
      while (rig.adapters.length < adapters) await rig.addAdapter();
      const { perSecond } = await eventsEndToEnd(rig, { ...run, from });
      from += run.events * run.rounds;
      run.figures.push({
        what: `${adapters} adapters: events`,
        value: perSecond,
        unit: 'events/s',
      });
    }
  });
}

/** The operator's console, with the largest of the operations. */
async function measureConsole(run: Run): Promise<void> {
  await withRig('PostgreSQL + Mosquitto', async (rig) => {
    const size = Math.max(...run.sizes);
    const { refId, vehiclesFile } = await prepare(rig, size);
    const console = await ConsoleBench.start(rig);
    try {
      const first = await console.firstPage(run.rounds);
      const table = await console.scroll(refId);
      const seen = await console.untilSeen(refId, vehiclesFile);
      await rig.connectLoad(refId, vehiclesFile, size);
      await rig.load.publishSteadily(0, CONSOLE_LOAD);
      const loaded = await console.underLoad(refId, run.minutes);
      const busy = await console.scroll(refId);
      run.figures.push(
        ...consoleFigures(size, { first, table, seen }),
        ...loadFigures(run.minutes, { loaded, busy }),
      );
    } finally {
      await console.end();
    }
  });
}

const CONSOLE_LOAD = 1_000;
const KB = 1_000;

function consoleFigures(
  size: number,
  { first, table, seen }: { first: FirstPage; table: Scrolled; seen: readonly number[] },
): Figure[] {
  const of = `console: table of ${size.toLocaleString('en-US')}`;
  return [
    {
      what: 'console: first page, script, compressed',
      value: first.script / KB,
      unit: 'KB',
      target: atMost(300),
    },
    { what: 'console: first page, style, compressed', value: first.style / KB, unit: 'KB' },
    {
      what: 'console: first page usable, nothing cached',
      value: first.usable / 1000,
      unit: 's',
      target: atMost(2),
    },
    { what: `${of}: jump until its rows are there`, value: table.shown, unit: 'ms' },
    { what: `${of}: longest task`, value: table.longestTask, unit: 'ms', target: atMost(100) },
    { what: 'console: one event until seen, p50', value: percentile(seen, 50), unit: 'ms' },
    {
      what: 'console: one event until seen, slowest',
      value: Math.max(...seen),
      unit: 'ms',
      target: atMost(1_000),
    },
  ];
}

function loadFigures(
  minutes: number,
  { loaded, busy }: { loaded: UnderLoad; busy: Scrolled },
): Figure[] {
  const under = `console: ${CONSOLE_LOAD.toLocaleString('en-US')} changes/s for ${minutes} min`;
  return [
    { what: `${under}: stored`, value: loaded.perSecond, unit: 'changes/s' },
    {
      what: `${under}: longest task`,
      value: loaded.longestTask,
      unit: 'ms',
      target: atMost(100),
    },
    { what: `${under}: heap when warm`, value: loaded.heapBefore / MB, unit: 'MB' },
    {
      what: `${under}: heap at the end`,
      value: loaded.heapAfter / MB,
      unit: 'MB',
      // Flat: no more than the noise of a heap.
      target: atMost((loaded.heapBefore * 1.1) / MB),
    },
    {
      what: `${under}: table, jump until its rows are there`,
      value: busy.shown,
      unit: 'ms',
    },
    {
      what: `${under}: table, longest task`,
      value: busy.longestTask,
      unit: 'ms',
      target: atMost(100),
    },
  ];
}

/** How many vehicles a bad update reaches and damages under the guard, and under the rules that other systems have. */
function measureGuard(run: Run): Promise<void> {
  const measured = guardFigures(run.guardRuns, run.tell);
  const percent = (share: number) => share * 100;
  const target = atMost(percent(GUARD_TEST.falseStop));
  const rules = { guard: 'the guard', fixed: 'the fixed share', job: 'job abort criteria' };
  const names = ['guard', 'fixed', 'job'] as const;
  for (const name of names) {
    const what = `false stops of ${rules[name]} at ${percent(GUARD_TEST.tolerated)} % failures`;
    run.figures.push({ what, value: percent(measured.falseStops[name]), unit: '%', target });
  }
  for (const { update, exposed, damaged, beyondCap } of measured.columns) {
    for (const [verb, values] of Object.entries({ exposed, damaged })) {
      const best = Math.min(values.fixed, values.job);
      const what = `${verb}: fails in ${percent(update.rate)} % ${update.manner}`;
      for (const name of names) {
        const figure = { what: `${what}, ${rules[name]}`, value: values[name], unit: 'vehicles' };
        run.figures.push(name === 'guard' ? { ...figure, target: atMost(best / 3) } : figure);
      }
    }
    const what = `beyond the cap: fails in ${percent(update.rate)} % ${update.manner}`;
    run.figures.push(...beyond(what, beyondCap));
  }
  const { exposed, beyondCap, reached } = measured.rivian;
  const rivian = 'Rivian 2023.42 replayed: exposed';
  run.figures.push(
    {
      what: `${rivian}, the guard`,
      value: exposed.guard,
      unit: 'vehicles',
      target: atMost(Math.min(exposed.fixed, exposed.job, reached) / 3),
    },
    { what: `${rivian}, the fixed share`, value: exposed.fixed, unit: 'vehicles' },
    { what: `${rivian}, job abort criteria`, value: exposed.job, unit: 'vehicles' },
    { what: `${rivian}, people (3 % in two hours)`, value: reached, unit: 'vehicles' },
    ...beyond(`${rivian} beyond the cap`, beyondCap),
  );
  return Promise.resolve();
}

/** Vehicles started after the one that decided the stop, beyond the cap. */
const beyond = (what: string, { most, share }: { most: number; share: number }): Figure[] => [
  { what: `${what}, worst run`, value: most, unit: 'vehicles', target: atMost(0) },
  { what: `${what}, runs`, value: share * 100, unit: '%' },
];

/** A vehicle's cycle at the Director, on all processors of this machine with the load. */
async function measureDirector(run: Run): Promise<void> {
  const measured = await directorFigures(run.rounds);
  run.figures.push(
    {
      what: 'director: cycles (manifest of 3 ECUs, timestamp, snapshot, targets)',
      value: measured.cyclesPerSecond,
      unit: 'cycles/s',
      target: atLeast(1_000),
    },
    {
      what: 'director: the same, with every file signed again',
      value: measured.signedAnew,
      unit: 'cycles/s',
    },
    {
      what: 'director: processor time of the CarOTA Server',
      value: measured.carota,
      unit: 'µs/cycle',
    },
    { what: 'director: processor time of PostgreSQL', value: measured.postgres, unit: 'µs/cycle' },
    { what: 'director: processor time of the load', value: measured.load, unit: 'µs/cycle' },
    {
      what: 'director: cycles for which two processors have the time, without the load',
      value: 2e6 / (measured.carota + measured.postgres),
      unit: 'cycles/s',
    },
    { what: 'director: manifest', value: measured.sent, unit: 'bytes/cycle' },
    { what: 'director: metadata', value: measured.received, unit: 'bytes/cycle' },
  );
}
