/** Options shared by several commands. */
import { Option } from 'commander';
import { parseAtLeastOne, type Parser, parseState, parseTime } from './settings/parsers.js';

/** An option with a value; commander names it if the parser rejects the text. */
export const option = (flags: string, description: string, parse: Parser<unknown>): Option =>
  new Option(flags, description).argParser((text) => parse(text));

export const limitOption = (most: number) =>
  option('--limit <number>', 'maximum number of results', parseAtLeastOne).default(most);

export const stateOption = (description: string) =>
  option('--state <state>', description, parseState);

export const timeOption = (flag: string, description: string) =>
  option(`${flag} <time>`, description, parseTime);
