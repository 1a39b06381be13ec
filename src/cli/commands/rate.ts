/** `otaops rate`: how fast all adapters on one database together send triggers. */
import { type Command } from 'commander';
import { path } from '../adapter-client.js';
import { adapterCommand, clientOf, type CommonFlags } from '../adapter-command.js';
import { print, printJson } from '../output.js';

interface Dispatch {
  readonly triggersPerSecond: number | null;
}

export function rateCommand(program: Command): void {
  adapterCommand(program, {
    usage: 'rate [per-second]',
    description: 'show or change the limit of all adapters together, triggers a second',
    examples: ['otaops rate', 'otaops rate 500 --reason "CDN is at its limit"', 'otaops rate none'],
  })
    .option('--reason <text>', 'why; kept in the audit log')
    .action(async (rate: string | undefined, flags: CommonFlags & { reason?: string }) => {
      const client = await clientOf(flags);
      const { reason } = flags;
      const answer = await (rate === undefined
        ? client.request<Dispatch>('GET', path(['dispatch']))
        : client.request<Dispatch>('PUT', path(['dispatch']), {
            triggersPerSecond: rate === 'none' ? null : Number(rate),
            ...(reason === undefined ? {} : { reason }),
          }));
      if (flags.json) printJson(answer);
      else if (answer.triggersPerSecond === null) print('no limit');
      else print(`${answer.triggersPerSecond} triggers a second`);
    });
}
