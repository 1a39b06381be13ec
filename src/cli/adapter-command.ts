/** Commands that talk to a running adapter: their common settings, `--json`, and examples in the help. */
import { type Command } from 'commander';
import { type AdapterAddress, AdapterClient } from './adapter-client.js';
import { addSettings, DATA_DIR, TOKEN, URL_SETTING } from './settings/index.js';

export interface CommonFlags extends AdapterAddress {
  readonly json?: boolean;
}

export interface AdapterCommand {
  /** Name and arguments, e.g. `show <ref-id>`. */
  readonly usage: string;
  readonly description: string;
  /** Lines of the help. */
  readonly examples: readonly string[];
}

export function adapterCommand(
  parent: Command,
  { usage, description, examples }: AdapterCommand,
): Command {
  const command = parent
    .command(usage)
    .description(description)
    .option('--json', 'print JSON, for programs');
  addExamples(command, examples);
  return addSettings(command, [URL_SETTING, TOKEN, DATA_DIR]);
}

export function addExamples(command: Command, examples: readonly string[]): Command {
  const title = examples.length === 1 ? 'Example' : 'Examples';
  return command.addHelpText(
    'after',
    `\n${title}:\n${examples.map((line) => `  ${line}`).join('\n')}`,
  );
}

export const clientOf = (flags: CommonFlags): Promise<AdapterClient> =>
  AdapterClient.connect(flags);

/** All of a list into memory; lists of commands are bounded by `--limit`. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
