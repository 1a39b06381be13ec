/** A campaign under the guard: the code that schedules run, in virtual time. */
import {
  exposureCapOf,
  exposureRefusal,
  type Finding,
  IncrementalTest,
  type Outcome,
} from '../../carota/guard/index.js';
import { GUARD_DEFAULTS, type TestSettings } from '../../contract/carota-api/index.js';
import { type Course, courseOf, type Random, type Update } from './fleet.js';
import { type CampaignEnd } from './outcome.js';
import { TimeLine } from './time-line.js';

const AFTER_REBOOT = GUARD_DEFAULTS.afterReboot / 60;
const SOAK = GUARD_DEFAULTS.soak / 60;

/** @param fleet number of vehicles */
export function guardedCampaign(
  settings: TestSettings,
  update: Update,
  fleet: number,
  random: Random,
): CampaignEnd {
  const tests = new Tests(settings);
  /** Places, or their complements where the vehicle fails. */
  const line = new TimeLine();
  let [now, exposed, undecided, damaged] = [0, 0, 0, 0];
  const cap = () => exposureCapOf({}, tests.passed);
  const mayExpose = () => {
    const standing = { exposed, undecided, stopPlace: tests.stopPlace };
    return exposed < fleet && exposureRefusal(standing, cap()) === undefined;
  };
  for (;;) {
    while (mayExpose() && exposed / update.perMinute <= now) {
      const course = courseOf(update, random);
      damaged += Number(course.isDamaged);
      const { after, outcome } = resultOf(course);
      line.add(now + after, outcome === 'failed' ? ~exposed : exposed);
      tests.expose();
      exposed += 1;
      undecided += 1;
    }
    // The next vehicle that wants the update, or the next result.
    const wanted = mayExpose() ? exposed / update.perMinute : Infinity;
    if (wanted < line.next) {
      now = Math.max(now, wanted);
      continue;
    }
    if (line.next === Infinity) return { stopped: false, exposed, damaged, beyondCap: 0 };
    now = line.next;
    const event = line.take();
    undecided -= 1;
    const finding = event < 0 ? tests.record(~event, 'failed') : tests.record(event, 'succeeded');
    if (finding !== 'stop') continue;
    const beyondCap = Math.max(0, exposed - tests.taken - cap());
    return { stopped: true, exposed, damaged, beyondCap };
  }
}

/** When a vehicle's result is there. */
function resultOf({ reboot, success, failure }: Course): {
  readonly after: number;
  readonly outcome: 'succeeded' | 'failed';
} {
  if (success === undefined) {
    const silent = reboot + AFTER_REBOOT;
    return { after: Math.min(failure ?? silent, silent), outcome: 'failed' };
  }
  const soaked = success + SOAK;
  return failure !== undefined && failure < soaked
    ? { after: failure, outcome: 'failed' }
    : { after: soaked, outcome: 'succeeded' };
}

/** The tests of one campaign. */
class Tests {
  readonly #settings: TestSettings;
  readonly #outcomes: (Outcome | undefined)[] = [];
  #number = 1;
  #test: IncrementalTest;
  /** Vehicles in the tests that decided "go". */
  passed = 0;

  constructor(settings: TestSettings) {
    this.#settings = settings;
    this.#test = new IncrementalTest(settings, 1, this.#outcomes, 0);
  }

  /** Vehicles up to the one at which the current test decided. */
  get taken(): number {
    return this.passed + this.#test.vehicles;
  }

  /** See `Exposed`. */
  get stopPlace(): number | undefined {
    return this.#test.mayStopAfter;
  }

  expose(): void {
    this.#outcomes.push(undefined);
    this.#test.expose();
  }

  record(place: number, outcome: 'succeeded' | 'failed'): Finding {
    this.#outcomes[place] = outcome;
    this.#test.update(place, outcome);
    while (this.#test.finding === 'go') {
      this.passed += this.#test.vehicles;
      this.#number += 1;
      this.#test = new IncrementalTest(this.#settings, this.#number, this.#outcomes, this.passed);
    }
    return this.#test.finding;
  }
}
