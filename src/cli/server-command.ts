/** Commands that talk to a running server: their common settings, `--json`, and examples in the help. */
import { type Command } from 'commander';
import { connect, type ServerAddress } from './server-client.js';
import {
  addSettings,
  ALLOW_PLAIN_HTTP,
  CA,
  DATA_DIR,
  TOKEN,
  URL_SETTING,
} from './settings/index.js';

export interface CommonFlags extends ServerAddress {
  readonly json?: boolean;
}

export interface ServerCommand {
  /** Name and arguments, e.g. `show <ref-id>`. */
  readonly usage: string;
  readonly description: string;
  /** Lines of the help. */
  readonly examples: readonly string[];
}

/** Settings for server URL and token. */
export const SERVER_SETTINGS = [URL_SETTING, TOKEN, ALLOW_PLAIN_HTTP, CA, DATA_DIR] as const;

/** The same for the CarOTA Server. */
export const CAROTA_SETTINGS = SERVER_SETTINGS.map((setting) => {
  if (setting === URL_SETTING) return { ...setting, default: 'http://127.0.0.1:8090' };
  return setting === DATA_DIR ? { ...setting, default: './.otaops-carota' } : setting;
});

export function serverCommand(
  parent: Command,
  { usage, description, examples }: ServerCommand,
  settings: Parameters<typeof addSettings>[1] = SERVER_SETTINGS,
): Command {
  const command = parent
    .command(usage)
    .description(description)
    .option('--json', 'print JSON, for programs');
  addExamples(command, examples);
  return addSettings(command, settings);
}

export function addExamples(command: Command, examples: readonly string[]): Command {
  const title = examples.length === 1 ? 'Example' : 'Examples';
  return command.addHelpText(
    'after',
    `\n${title}:\n${examples.map((line) => `  ${line}`).join('\n')}`,
  );
}

export const clientOf = (flags: CommonFlags) => connect(flags);

/** Collects a list in memory; commands bound it by `--limit`. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
