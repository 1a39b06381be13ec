/** Times compared between processes come from the database, whatever the local clock says. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type BothClocks,
  DatabaseClock,
  type DatabaseClockOptions,
  WrongClock,
} from '../../src/service/clock/index.js';
import {
  afterReading,
  type ClockEstimate,
  timeAt,
} from '../../src/service/clock/clock-estimate.js';
import { DatabaseError, type Queryable } from '../../src/service/database/index.js';
import { openTestDatabase } from '../support/databases.js';
import { seed } from '../support/depth.js';

const START = Date.UTC(2026, 0, 1);

/** A simulated world: time passes only when the test advances it. */
class World {
  /** True elapsed time, ms. */
  passed = 0;
  /** Offsets of the clocks from true time. */
  machineAhead = 0;
  databaseAhead = 0;
  /** Travel times to the database and back, ms. */
  way: readonly [number, number] = [1, 1];
  isDatabaseAway = false;
  readonly wrong: BothClocks[] = [];
  readonly jumps: number[] = [];

  readonly database: Queryable = {
    query: <Row extends object>() => {
      if (this.isDatabaseAway) return Promise.reject(new DatabaseError(new Error('away')));
      this.passed += this.way[0];
      const time = START + this.passed + this.databaseAhead;
      this.passed += this.way[1];
      return Promise.resolve([{ time }] as unknown as Row[]);
    },
    script: () => Promise.resolve(),
  };
  readonly options: DatabaseClockOptions = {
    machine: () => START + this.passed + this.machineAhead,
    monotonic: () => this.passed,
    onWrong: (clocks) => this.wrong.push(clocks),
    onJump: (by) => this.jumps.push(by),
  };
  clock = () => DatabaseClock.start(this.database, this.options);
  get databaseTime(): number {
    return START + this.passed + this.databaseAhead;
  }
}

async function withClock(world: World, work: (clock: DatabaseClock) => Promise<void> | void) {
  const clock = await world.clock();
  try {
    await work(clock);
  } finally {
    await clock.stop();
  }
}

test('half the round trip is subtracted, and the fastest answers count', async () => {
  const world = new World();
  world.way = [300, 300];
  await withClock(world, async (clock) => {
    expect(clock.now()).toBe(world.databaseTime);
    world.way = [400, 0];
    await clock.readNow();
    world.way = [1, 1];
    await clock.readNow();
    expect(Math.abs(clock.now() - world.databaseTime)).toBeLessThanOrEqual(3);
    world.way = [9_000, 1];
    await clock.readNow();
    expect(Math.abs(clock.now() - world.databaseTime)).toBeLessThanOrEqual(10);
  });
});

test('a wrong local clock, or one set while the process runs, has no effect', async () => {
  const world = new World();
  world.machineAhead = 20_000;
  await withClock(world, (clock) => {
    for (const ahead of [-60_000, 0, 3_600_000]) {
      world.passed += 1_000;
      world.machineAhead = ahead;
      expect(clock.now()).toBe(world.databaseTime);
      expect(clock.offsetSeconds()).toBe(ahead / 1000);
    }
  });
});

test('time advances while the database is unavailable', async () => {
  const world = new World();
  await withClock(world, async (clock) => {
    world.isDatabaseAway = true;
    world.passed += 600_000;
    await expect(clock.readNow()).rejects.toThrow('away');
    expect(clock.now()).toBe(world.databaseTime);
  });
});

test('after a failover, the time of the new primary applies from the next reading', async () => {
  const world = new World();
  await withClock(world, async (clock) => {
    for (const ahead of [10_000, -50_000]) {
      world.databaseAhead = ahead;
      await clock.readNow();
      expect(clock.now()).toBe(world.databaseTime);
    }
    expect(world.jumps).toEqual([10_000, -60_000]);
  });
});

test('a small backward step is waited out: time never runs backwards', async () => {
  const world = new World();
  await withClock(world, async (clock) => {
    const before = clock.now();
    world.databaseAhead = -1_500;
    await clock.readNow();
    expect(clock.now()).toBe(before);
    world.passed += 1_400;
    expect(clock.now()).toBe(before);
    world.passed += 200;
    expect(clock.now()).toBe(world.databaseTime);
  });
});

test('an offset above 30 s aborts the start and names both times; 30 s does not', async () => {
  const world = new World();
  world.machineAhead = 29_900;
  await withClock(world, (clock) => clock.refuseIfWrong());
  world.machineAhead = -40_000;
  await withClock(world, (clock) => {
    expect(() => clock.refuseIfWrong()).toThrow(WrongClock);
    expect(() => clock.refuseIfWrong()).toThrow(
      /machine says 2025-12-31T23:59:2.*database 2026-01-01T00:00:0.*40\.0 s/,
    );
  });
});

test('the agreed time is refused as soon as the two differ by more than 30 s, and given again when they agree', async () => {
  const world = new World();
  await withClock(world, async (clock) => {
    expect(clock.agreed()).toBe(world.databaseTime);
    world.databaseAhead = 3_600_000;
    // Not read yet: the time continues as before.
    expect(clock.agreed()).toBe(world.databaseTime - 3_600_000);
    await clock.readNow();
    expect(() => clock.agreed()).toThrow(WrongClock);
    world.databaseAhead = 0;
    await clock.readNow();
    expect(clock.agreed()).toBe(world.databaseTime);
    world.machineAhead = -31_000;
    expect(() => clock.agreed()).toThrow(WrongClock);
  });
});

test('an offset above 2 s is logged once a minute while it lasts; above 30 s, at once', async () => {
  const world = new World();
  world.machineAhead = 1_900;
  await withClock(world, async (clock) => {
    await clock.readNow();
    expect(world.wrong).toEqual([]);
    world.machineAhead = 2_100;
    for (let seconds = 0; seconds < 119; seconds += 5) {
      world.passed += 5_000;
      await clock.readNow();
    }
    expect(world.wrong).toHaveLength(2);
    expect((world.wrong[0]?.ours ?? 0) - (world.wrong[0]?.database ?? 0)).toBe(2_100);
    world.machineAhead = 31_000;
    await clock.readNow();
    expect(world.wrong).toHaveLength(3);
  });
});

test('for any latency and drift, the error stays within the bound given by the fastest answers', () => {
  const reading = fc.record({
    there: fc.double({ min: 0, max: 5_000, noNaN: true }),
    back: fc.double({ min: 0, max: 5_000, noNaN: true }),
    pause: fc.double({ min: 0, max: 60_000, noNaN: true }),
  });
  fc.assert(
    fc.property(
      fc.array(reading, { minLength: 1, maxLength: 20 }),
      fc.double({ min: -400e-6, max: 400e-6, noNaN: true }),
      (readings, drift) => {
        let passed = 0;
        let estimate: ClockEstimate | undefined;
        const databaseTime = () => START + passed * (1 + drift);
        for (const { there, back, pause } of readings) {
          const askedAt = passed;
          passed += there;
          const time = databaseTime();
          passed += back;
          estimate = afterReading(estimate, { askedAt, answeredAt: passed, time });
          const bound = (there + back) / 2 + (there + back) * 500e-6 + 1;
          expect(Math.abs(timeAt(estimate, passed) - databaseTime())).toBeLessThanOrEqual(bound);
          passed += pause;
        }
      },
    ),
    { seed },
  );
});

test('a local clock returns local time', async () => {
  const { database, close } = await openTestDatabase();
  const clock = await DatabaseClock.start(database);
  expect(Math.abs(clock.offsetSeconds())).toBeLessThan(0.5);
  expect(Math.abs(clock.now() - Date.now())).toBeLessThan(500);
  await clock.stop();
  await close();
});
