/** `otaops callbacks`: receivers of the event call-back. */
import { type Command } from 'commander';
import { receiverApi, type ReceiverWithSecret } from '../../contract/adapter-api/index.js';
import { serverCommand, clientOf, type CommonFlags } from '../server-command.js';
import { option, timeOption } from '../options.js';
import { print, printJson, printTable } from '../output.js';
import { parseCount } from '../settings/parsers.js';
import { UsageError } from '../usage-error.js';

export function callbacksCommand(program: Command): void {
  const callbacks = program.command('callbacks').description('receivers of the event call-back');

  serverCommand(callbacks, {
    usage: 'list',
    description: 'list receivers and their backlog',
    examples: ['otaops callbacks list'],
  }).action(async (flags: CommonFlags) => {
    const client = await clientOf(flags);
    const { items } = await client.call(receiverApi.listReceivers, {});
    if (flags.json) {
      printJson(items);
      return;
    }
    printTable(
      ['name', 'url', 'on', 'position', 'behind', 'failures', 'next retry', 'failure'],
      items.map((receiver) => [
        receiver.name,
        receiver.url,
        receiver.enabled,
        receiver.position,
        receiver.behind,
        receiver.failures,
        receiver.nextTryAt,
        receiver.failure,
      ]),
    );
  });

  serverCommand(callbacks, {
    usage: 'add <name> <url>',
    description: 'add a receiver; its signing secret is shown once',
    examples: [
      'otaops callbacks add carota https://carota.example/ota/events',
      'otaops callbacks add warehouse https://dwh.example/in --after 0      from the first event',
    ],
  })
    .option('--secret <whsec_…>', 'signing secret (default: a new one)')
    .addOption(option('--after <event>', 'start after the event with this number', parseCount))
    .action(
      async (
        name: string,
        url: string,
        flags: CommonFlags & { secret?: string; after?: number },
      ) => {
        const { secret, after } = flags;
        const client = await clientOf(flags);
        const answer = await client.call(receiverApi.addReceiver, {
          body: {
            name,
            url,
            ...(secret === undefined ? {} : { secret }),
            ...(after === undefined ? {} : { after }),
          },
        });
        show(answer, flags);
      },
    );

  serverCommand(callbacks, {
    usage: 'change <name>',
    description: 'change URL or secret, switch off and on',
    examples: ['otaops callbacks change carota --new-secret', 'otaops callbacks change dwh --off'],
  })
    .option('--address <url>', 'URL that receives the batches')
    .option('--secret <whsec_…>', 'signing secret; the old one also signs for another day')
    .option('--new-secret', 'create a new secret')
    .option('--on', 'switch on again')
    .option('--off', 'switch off; pending events are delivered after it is switched on again')
    .action(async (name: string, flags: CommonFlags & ChangeFlags) => {
      const { address, secret, newSecret, on, off } = flags;
      if (on && off) throw new UsageError('give either --on or --off');
      if (secret !== undefined && newSecret) {
        throw new UsageError('give either --secret or --new-secret');
      }
      if (address === undefined && secret === undefined && !newSecret && !on && !off) {
        throw new UsageError('give --address, --secret, --new-secret, --on or --off');
      }
      const client = await clientOf(flags);
      const answer = await client.call(receiverApi.changeReceiver, {
        params: { id: name },
        body: {
          ...(address === undefined ? {} : { url: address }),
          ...(secret === undefined ? {} : { secret }),
          ...(newSecret ? { newSecret } : {}),
          ...(on || off ? { enabled: !off } : {}),
        },
      });
      show(answer, flags);
    });

  serverCommand(callbacks, {
    usage: 'replay <name>',
    description: 'deliver events again, starting after an event or at a time',
    examples: ['otaops callbacks replay carota --since 2026-11-24T08:00:00Z'],
  })
    .addOption(option('--after <event>', 'start after the event with this number', parseCount))
    .addOption(timeOption('--since', 'start with the first event received at or after this time'))
    .action(async (name: string, flags: CommonFlags & { after?: number; since?: string }) => {
      const { after, since } = flags;
      if ((after === undefined) === (since === undefined)) {
        throw new UsageError('give either --after or --since');
      }
      const client = await clientOf(flags);
      const body = {
        ...(after === undefined ? {} : { after }),
        ...(since === undefined ? {} : { since }),
      };
      show(await client.call(receiverApi.replayEvents, { params: { id: name }, body }), flags);
    });

  serverCommand(callbacks, {
    usage: 'remove <name>',
    description: 'remove a receiver',
    examples: ['otaops callbacks remove warehouse'],
  }).action(async (name: string, flags: CommonFlags) => {
    await (await clientOf(flags)).call(receiverApi.removeReceiver, { params: { id: name } });
    if (flags.json) printJson({ removed: name });
    else print(`removed ${name}`);
  });
}

interface ChangeFlags {
  readonly address?: string;
  readonly secret?: string;
  readonly newSecret?: true;
  readonly on?: boolean;
  readonly off?: boolean;
}

function show(receiver: ReceiverWithSecret, flags: CommonFlags): void {
  if (flags.json) {
    printJson(receiver);
    return;
  }
  const { name, url, enabled, position, behind, secret } = receiver;
  print(`${name}  ${url}  ${enabled ? 'on' : 'off'}, at event ${position}, ${behind} behind`);
  if (secret !== undefined) print(`secret ${secret}`);
}
