/** What is wrong with an update script, and where: its shape, and what a schema cannot say. Pure. */
import { checkOf, type FieldError } from '../contract/index.js';
import { installOrder } from './install-order.js';
import { UpdateScript } from './update-script.js';

const check = checkOf(UpdateScript);

/** @returns the script, or every fault with the JSON Pointer of its field */
export function validateScript(value: unknown): UpdateScript | readonly FieldError[] {
  if (!check.matches(value)) return check.errors(value);
  const errors = [...ecuErrors(value), ...windowErrors(value)];
  return errors.length > 0 ? errors : value;
}

function* ecuErrors({ ecus }: UpdateScript): Generator<FieldError> {
  const first = new Map<string, number>();
  for (const [place, { ecu }] of ecus.entries()) {
    const before = first.get(ecu);
    if (before === undefined) first.set(ecu, place);
    else
      yield { path: `/ecus/${place}/ecu`, message: `${ecu} is updated by /ecus/${before} already` };
  }
  for (const [place, { ecu, after = [] }] of ecus.entries()) {
    for (const [number, other] of after.entries()) {
      const path = `/ecus/${place}/after/${number}`;
      if (other === ecu) yield { path, message: 'an ECU cannot come after itself' };
      else if (!first.has(other)) yield { path, message: `${other} is not in this script` };
    }
  }
  if (!installOrder(ecus)) {
    yield { path: '/ecus', message: 'each of some ECUs comes after another, in a circle' };
  }
}

function* windowErrors({ window }: UpdateScript): Generator<FieldError> {
  if (window && window.from === window.to) {
    yield {
      path: '/window/to',
      message: 'must differ from its beginning; without a window, leave it out',
    };
  }
}
