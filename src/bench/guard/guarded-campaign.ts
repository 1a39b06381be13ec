/** A campaign under the guard: the code that schedules run, in virtual time. */
import {
  exposureCapOf,
  type Finding,
  type Outcome,
  SequentialTest,
} from '../../carota/guard/index.js';
import { GUARD_DEFAULTS, type TestSettings } from '../../contract/carota-api/index.js';
import { type Course, courseOf, PER_MINUTE, type Random, type Update } from './fleet.js';
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
  const line = new TimeLine<{ readonly place: number; readonly outcome: Outcome }>();
  let [now, exposed, undecided, damaged, beyondCap] = [0, 0, 0, 0, 0];
  const cap = () => exposureCapOf({}, tests.passed);
  for (;;) {
    while (exposed < fleet && undecided < cap() && exposed <= now * PER_MINUTE) {
      const course = courseOf(update, random);
      damaged += Number(course.isDamaged);
      const { after, outcome } = resultOf(course);
      line.add(now + after, { place: exposed, outcome });
      exposed += 1;
      undecided += 1;
      beyondCap = Math.max(beyondCap, undecided - cap());
    }
    // The next vehicle that wants the update, or the next result.
    const wanted = exposed < fleet && undecided < cap() ? exposed / PER_MINUTE : Infinity;
    if (wanted < line.next) {
      now = Math.max(now, wanted);
      continue;
    }
    const result = line.take();
    if (!result) return { stopped: false, exposed, damaged, beyondCap };
    now = result.at;
    undecided -= 1;
    if (tests.hear(result.event.place, result.event.outcome) === 'stop') {
      return { stopped: true, exposed, damaged, beyondCap };
    }
  }
}

/** When a vehicle's result is there. */
function resultOf({ reboot, success, failure }: Course): { after: number; outcome: Outcome } {
  if (success === undefined) {
    const silent = reboot + AFTER_REBOOT;
    return { after: Math.min(failure ?? silent, silent), outcome: 'failed' };
  }
  const soaked = success + SOAK;
  return failure !== undefined && failure < soaked
    ? { after: failure, outcome: 'failed' }
    : { after: soaked, outcome: 'succeeded' };
}

/** The tests of one campaign. What lies before the first undecided vehicle is not looked at again. */
class Tests {
  readonly #settings: TestSettings;
  readonly #outcomes: (Outcome | undefined)[] = [];
  #number = 1;
  #test: SequentialTest;
  /** Place of the first vehicle that `#test` has not taken. */
  #next = 0;
  /** Vehicles of the tests that have decided to go on. */
  passed = 0;

  constructor(settings: TestSettings) {
    this.#settings = settings;
    this.#test = SequentialTest.begin(settings, 1);
  }

  hear(place: number, outcome: Outcome): Finding {
    this.#outcomes[place] = outcome;
    for (;;) {
      const finding = this.#find();
      if (finding !== 'go') return finding;
    }
  }

  #find(): Finding {
    const outcomes = this.#outcomes;
    for (let heard; !this.#test.isOver && (heard = outcomes[this.#next]); this.#next += 1) {
      this.#test = this.#test.take(heard);
    }
    let test = this.#test;
    let next = this.#next;
    for (; !test.isOver && next < outcomes.length; next += 1) {
      test = test.take(outcomes[next] ?? 'undecided');
    }
    if (test.finding === 'go') {
      this.passed += test.vehicles;
      this.#number += 1;
      this.#test = SequentialTest.begin(this.#settings, this.#number);
      this.#next = this.passed;
    }
    return test.finding;
  }
}
