/** `otaops rate`: how fast all adapters on one database together send triggers. */
import { Argument, type Command } from 'commander';
import { dispatchApi } from '../../contract/adapter-api/index.js';
import { serverCommand, clientOf, type CommonFlags } from '../server-command.js';
import { reasonOption } from '../options.js';
import { print, printJson } from '../output.js';
import { parseRateOrNone } from '../settings/parsers.js';

export function rateCommand(program: Command): void {
  serverCommand(program, {
    usage: 'rate',
    description: 'show or change the global rate limit, in triggers per second over all adapters',
    examples: ['otaops rate', 'otaops rate 500 --reason "CDN is at its limit"', 'otaops rate none'],
  })
    .addArgument(
      new Argument('[per-second]', 'the new limit, or none').argParser((text) =>
        parseRateOrNone(text),
      ),
    )
    .addOption(reasonOption())
    .action(async (rate: number | null | undefined, flags: CommonFlags & { reason?: string }) => {
      const client = await clientOf(flags);
      const { reason } = flags;
      const answer = await (rate === undefined
        ? client.call(dispatchApi.getDispatch, {})
        : client.call(dispatchApi.changeDispatch, {
            body: { triggersPerSecond: rate, ...(reason === undefined ? {} : { reason }) },
          }));
      if (flags.json) printJson(answer);
      else if (answer.triggersPerSecond === null) print('no limit');
      else print(`${answer.triggersPerSecond} triggers per second`);
    });
}
