/** Options shared by several commands. */
import { Option } from 'commander';
import { parseAtLeastOne, type Parser, parseState, parseTime } from './settings/parsers.js';

/** An option with a value; commander names it if the parser rejects the text. */
export const option = (flags: string, description: string, parse: Parser<unknown>): Option =>
  new Option(flags, description).argParser((text) => parse(text));

export const limitOption = (most: number, description = 'maximum number of results') =>
  option('--limit <number>', description, parseAtLeastOne).default(most);

/** Why something is done; options that select by a reason have other names. */
export const reasonOption = () => new Option('--reason <text>', 'why; kept in the audit log');

export const stateOption = (description: string) =>
  option('--state <state>', description, parseState);

export const timeOption = (flag: string, description: string) =>
  option(`${flag} <time>`, description, parseTime);
