/**
 * Every setting has a flag, an `OTAOPS_…` variable (contract section 7) and a name in the `--config` file, in this order
 * of precedence. An unknown or invalid setting aborts the start with a message that names it.
 */
import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { type ConfigFile, textOf } from './config-file.js';
import { type Parser } from './parsers.js';
import { UsageError } from '../usage-error.js';

const ENV_PREFIX = 'OTAOPS_';

/** A setting is unknown or has an invalid value. */
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
  /** Is or contains a secret: can come from a file, because everyone on the machine sees process arguments. */
  readonly secret?: boolean;
}

/** e.g. `http-port` */
const nameOf = (flag: string) => flag.split(' ')[0]?.replace(/^--/, '') ?? flag;

/** The variable of a setting: `http-port` is `OTAOPS_HTTP_PORT`. */
const variableOf = (name: string) => ENV_PREFIX + name.toUpperCase().replaceAll('-', '_');

/** Names of the settings of all commands that are loaded. */
const loadedNames = new Set<string>(['config']);

/** Whether each of the environment's variables and the file's settings is one of a loaded command. */
export const areAllLoaded = (environment: NodeJS.ProcessEnv, file: ConfigFile | undefined) =>
  unknownVariables(environment).length === 0 &&
  (file?.entries ?? []).every(({ name }) => loadedNames.has(name));

/** Adds settings to a command, each with its variable. */
export function addSettings(command: Command, settings: readonly Setting<unknown>[]): Command {
  for (const setting of settings) {
    const name = nameOf(setting.flag);
    loadedNames.add(name);
    const option = new Option(setting.flag, setting.description).env(variableOf(name));
    if (setting.default !== undefined) option.default(setting.default);
    if (setting.choices) option.choices(setting.choices);
    const { parse } = setting;
    if (parse) option.argParser((text) => parse(text));
    command.addOption(option);
    if (setting.secret) addFileOption(command, name, option);
  }
  return command;
}

/** By command: its settings that can come from a file, with the option that names the file. */
const secretFiles = new WeakMap<Command, { readonly secret: Option; readonly file: Option }[]>();

/** Adds `--token-file` to `--token`, with its own variable. */
function addFileOption(command: Command, name: string, secret: Option): void {
  const fileName = `${name}-file`;
  loadedNames.add(fileName);
  const file = new Option(`--${fileName} <file>`, `file with the value of --${name}`);
  command.addOption(file.env(variableOf(fileName)));
  secretFiles.set(command, [...(secretFiles.get(command) ?? []), { secret, file }]);
}

/** Reads secrets from their files. @throws BadSetting */
export async function applySecretFiles(command: Command): Promise<void> {
  for (const { secret, file } of secretFiles.get(command) ?? []) {
    const path = command.getOptionValue(file.attributeName()) as string | undefined;
    if (path === undefined) continue;
    const source = command.getOptionValueSource(secret.attributeName());
    if (source !== undefined && source !== 'default') {
      throw new BadSetting(`give either ${secret.long} or ${file.long}, not both`);
    }
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      throw new BadSetting(`${file.long}: ${(error as Error).message}`);
    });
    const value = text.trim();
    if (value === '') throw new BadSetting(`${file.long}: ${path} is empty`);
    try {
      const parse = secret.parseArg as ((text: string, previous: unknown) => unknown) | undefined;
      const parsed = parse ? parse.call(secret, value, undefined) : value;
      command.setOptionValueWithSource(secret.attributeName(), parsed, 'file');
    } catch (error) {
      throw new BadSetting(`${file.long}: ${path} ${(error as Error).message}`);
    }
  }
}

function unknownVariables(environment: NodeJS.ProcessEnv): string[] {
  const variables = new Set([...loadedNames].map(variableOf));
  return Object.keys(environment).filter(
    (name) => name.startsWith(ENV_PREFIX) && !variables.has(name),
  );
}

/** @throws BadSetting for an `OTAOPS_…` variable that no command has */
export function refuseUnknownVariables(environment: NodeJS.ProcessEnv): void {
  const unknown = unknownVariables(environment);
  if (unknown.length > 0) {
    const list = [...loadedNames].map(variableOf).sort().join(', ');
    throw new BadSetting(`unknown setting ${unknown.join(', ')}; known settings: ${list}`);
  }
}

/**
 * Takes settings from the file that neither a flag nor a variable has set. The file may contain settings of other
 * commands, so that one file serves all.
 *
 * @throws BadSetting
 */
export function applyConfigFile(command: Command, file: ConfigFile): void {
  for (const { name, line } of file.entries) {
    if (!loadedNames.has(name) || name === 'config') {
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
    if (text === undefined) throw bad('must be a string, a number or a list of these');
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
