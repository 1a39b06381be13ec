/**
 * Every setting has a flag, an `OTAOPS_…` variable (contract section 7) and a name in the file that
 * `--config` names; what comes first counts. An unknown or bad one stops the start with a message
 * that names it.
 */
import { type Command, Option } from 'commander';
import { type ConfigFile, textOf } from './config-file.js';
import { type Parser } from './parsers.js';
import { UsageError } from '../usage-error.js';

const ENV_PREFIX = 'OTAOPS_';

/** A setting is unknown or has a wrong value. */
export class BadSetting extends UsageError {
  override readonly name = 'BadSetting';
}

export interface Setting<T> {
  /** e.g. `--http-port <port>` */
  readonly flag: string;
  readonly description: string;
  readonly default?: T;
  readonly parse?: Parser<T>;
  readonly choices?: readonly string[];
}

/** e.g. `http-port` */
const nameOf = (flag: string) => flag.split(' ')[0]?.replace(/^--/, '') ?? flag;

/** The variable of a setting: `http-port` is `OTAOPS_HTTP_PORT`. */
const variableOf = (name: string) => ENV_PREFIX + name.toUpperCase().replaceAll('-', '_');

/** Names of the settings that some command has. */
const known = new Set<string>(['config']);

/** Adds settings to a command, each with its variable. */
export function addSettings(command: Command, settings: readonly Setting<unknown>[]): Command {
  for (const setting of settings) {
    const name = nameOf(setting.flag);
    known.add(name);
    const option = new Option(setting.flag, setting.description).env(variableOf(name));
    if (setting.default !== undefined) option.default(setting.default);
    if (setting.choices) option.choices(setting.choices);
    const { parse } = setting;
    if (parse) option.argParser((text) => parse(text));
    command.addOption(option);
  }
  return command;
}

/** @throws BadSetting if an `OTAOPS_…` variable is set that no command has */
export function refuseUnknownVariables(environment: NodeJS.ProcessEnv): void {
  const variables = new Set([...known].map(variableOf));
  const unknown = Object.keys(environment).filter(
    (name) => name.startsWith(ENV_PREFIX) && !variables.has(name),
  );
  if (unknown.length > 0) {
    const list = [...variables].sort().join(', ');
    throw new BadSetting(`unknown setting ${unknown.join(', ')}; known are ${list}`);
  }
}

/**
 * Takes from the file what neither a flag nor a variable has said. A file may have settings of other
 * commands too, so that one file serves all.
 *
 * @throws BadSetting
 */
export function applyConfigFile(command: Command, file: ConfigFile): void {
  for (const { name, line } of file.entries) {
    if (!known.has(name) || name === 'config') {
      throw new BadSetting(`${file.path}:${line}: unknown setting ${name}`);
    }
  }
  for (const option of command.options) {
    const entry = file.entries.find(({ name }) => `--${name}` === option.long);
    const source = command.getOptionValueSource(option.attributeName());
    if (!entry || (source !== undefined && source !== 'default')) continue;
    const text = textOf(entry.value);
    const bad = (message: string) =>
      new BadSetting(`${file.path}:${entry.line}: ${entry.name} ${message}`);
    if (text === undefined) throw bad('must be a text, a number or a list of these');
    if (option.argChoices && !option.argChoices.includes(text)) {
      throw bad(`must be one of ${option.argChoices.join(', ')}`);
    }
    try {
      const parse = option.parseArg as ((text: string, previous: unknown) => unknown) | undefined;
      const value = parse ? parse.call(option, text, undefined) : text;
      command.setOptionValueWithSource(option.attributeName(), value, 'config');
    } catch (error) {
      throw bad((error as Error).message);
    }
  }
}
