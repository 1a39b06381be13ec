/** `otaops trigger`: posts a CarOTA Server Event, from flags and a file. */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { parse } from 'csv-parse/sync';
import { type Command } from 'commander';
import { triggerApi, type TriggerResult } from '../../contract/adapter-api/index.js';
import { type CarOtaServerEvent, type DispatchOptions } from '../../contract/index.js';
import { serverCommand, clientOf, type CommonFlags } from '../server-command.js';
import { option } from '../options.js';
import { print, printJson } from '../output.js';
import { parsePriority, parseRate, parseTtl } from '../settings/parsers.js';
import { UsageError } from '../usage-error.js';

interface TriggerFlags extends CommonFlags {
  readonly file?: string;
  readonly refId?: string;
  readonly model?: string;
  readonly script?: string;
  readonly priority?: number;
  readonly rate?: number;
  readonly ttl?: number;
  readonly ack: boolean;
}

const MAX_SHOWN = 10;

export function triggerCommand(program: Command): void {
  serverCommand(program, {
    usage: 'trigger [vins...]',
    description: 'trigger an update for vehicles, like the CarOTA Server',
    examples: [
      'otaops trigger -f event.json                         a complete CarOTA Server Event',
      'otaops trigger -f vins.csv --ref-id "schedule 0909" --model "vehicle model a" --script "hu only 001"',
      'otaops trigger --ref-id fix --model a --script s --priority 5 5YJSA1E40FF345678',
      'cat vins.txt | otaops trigger -f - --ref-id canary --model a --script s --rate 2',
    ],
  })
    .option(
      '-f, --file <file>',
      'JSON (an event, or an array of VINs) or CSV; - reads standard input',
    )
    .option('--ref-id <ref-id>', 'the operation')
    .option('--model <model>', 'vehicle model')
    .option('--script <script-ref-id>', 'the update script')
    .addOption(
      option('--priority <number>', 'from -10 to 10; each step doubles its share', parsePriority),
    )
    .addOption(option('--rate <per-second>', 'maximum triggers per second', parseRate))
    .addOption(
      option(
        '--ttl <seconds>',
        'time until an unacknowledged trigger expires; -1 = never',
        parseTtl,
      ),
    )
    .option('--no-ack', 'send triggers once, without waiting for acknowledgement')
    .action(async (vins: string[], flags: TriggerFlags) => {
      const event = eventOf(await fileOf(flags.file), vins, flags);
      const client = await clientOf(flags);
      const answer = await client.call(triggerApi.trigger, { body: event });
      if (flags.json) printJson(answer);
      else tell(answer);
    });
}

/** An event from a file is sent unchanged: the adapter reports its errors. */
type FromFile = { readonly event: CarOtaServerEvent } | { readonly vins: readonly string[] };

async function fileOf(file: string | undefined): Promise<FromFile> {
  if (file === undefined) return { vins: [] };
  const content = file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  const first = content.trimStart()[0];
  if (first === '{') return { event: json(file, content) as CarOtaServerEvent };
  if (first === '[') return { vins: json(file, content) as string[] };
  return { vins: vinsOfCsv(file, content) };
}

function json(file: string, content: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    throw new Error(`${file} is not JSON: ${(error as Error).message}`);
  }
}

/** The column `vin`; without a header, the first column. */
function vinsOfCsv(file: string, content: string): string[] {
  const rows = parse(content, {
    bom: true,
    trim: true,
    skip_empty_lines: true,
    relax_column_count: true,
  });
  const header = rows[0]?.map((name) => name.toLowerCase()) ?? [];
  const column = header.indexOf('vin');
  const vins = (column < 0 ? rows : rows.slice(1)).map((row) => row[Math.max(0, column)] ?? '');
  if (vins.length === 0) throw new Error(`${file} has no VIN`);
  return vins;
}

function eventOf(file: FromFile, vins: readonly string[], flags: TriggerFlags): CarOtaServerEvent {
  if ('event' in file) {
    if (vins.length > 0 || flags.refId !== undefined) {
      throw new UsageError('the file is a complete event: omit the VINs and --ref-id');
    }
    return file.event;
  }
  const dispatch: DispatchOptions = {
    ...(flags.priority === undefined ? {} : { priority: flags.priority }),
    ...(flags.rate === undefined ? {} : { rate: { perSecond: flags.rate } }),
    ...(flags.ttl === undefined ? {} : { ttl: flags.ttl }),
    ...(flags.ack ? {} : { ack_required: '0' }),
  };
  return {
    time: Date.now(),
    version: 'v1',
    body: {
      model: needed('--model', flags.model),
      'ref-id': needed('--ref-id', flags.refId),
      'script-ref-id': needed('--script', flags.script),
      vins: [...file.vins, ...vins],
      ...(Object.keys(dispatch).length === 0 ? {} : { dispatch }),
    },
  };
}

function needed(flag: string, value: string | undefined): string {
  if (value === undefined)
    throw new UsageError(`${flag} is required unless -f is a complete event`);
  return value;
}

function tell(answer: TriggerResult): void {
  const { accepted, alreadyIncluded, rejectedCount, rejected } = answer;
  print(
    `${answer['ref-id']}: ${accepted} accepted, ${alreadyIncluded} already included, ${rejectedCount} rejected`,
  );
  for (const { vin, errorCode } of rejected.slice(0, MAX_SHOWN)) print(`  ${vin}  ${errorCode}`);
  if (rejectedCount > MAX_SHOWN) print(`  … and ${rejectedCount - MAX_SHOWN} more`);
}
