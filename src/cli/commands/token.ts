/** `otaops token`: make, list and revoke tokens of the HTTP interface. */
import { type Command, Option } from 'commander';
import { ROLES } from '../../adapter/access.js';
import { CAROTA_ROLES } from '../../contract/carota-api/index.js';
import { createToken, listTokens, revokeToken } from '../../service/access/index.js';
import type { Storage } from '../../service/storage.js';
import { type AdapterAddress, AdapterClient } from '../adapter-client.js';
import { print, printJson } from '../output.js';
import { addSettings, DATA_DIR, DATABASE_URL, TOKEN, URL_SETTING } from '../settings/index.js';

/** Of the adapter and of the CarOTA Server; each refuses what it does not have. */
const ALL_ROLES = [...new Set([...ROLES, ...CAROTA_ROLES])];

interface TokenOptions extends AdapterAddress {
  readonly databaseUrl?: string;
  readonly json?: boolean;
  readonly offline?: boolean;
}

interface TokenLine {
  readonly id: string;
  readonly role: string;
  readonly name: string;
  readonly revokedAt: string | Date | null;
}

export function tokenCommand(program: Command): void {
  const token = program
    .command('token')
    .description('tokens of the HTTP interface')
    .addHelpText(
      'after',
      `
Examples:
  otaops token create --role carota --name "CarOTA Server"
  otaops token create --role vehicle --name fleet --url http://127.0.0.1:8090 --data-dir .otaops-carota
  otaops token create --role admin --name recovery --offline   (the adapter is stopped)`,
    );

  const subcommand = (name: string, description: string) => {
    const command = token
      .command(name)
      .description(description)
      .option('--offline', 'work on the database itself; an embedded one must not be in use')
      .option('--json', 'print JSON');
    return addSettings(command, [URL_SETTING, TOKEN, DATA_DIR, DATABASE_URL]);
  };

  subcommand('create', 'make a token; it is shown once and stored hashed')
    .addOption(
      new Option('--role <role>', 'what it may do').choices(ALL_ROLES).makeOptionMandatory(),
    )
    .requiredOption('--name <name>', 'whose it is, to tell tokens apart')
    .action(async (options: TokenOptions & { role: string; name: string }) => {
      const { role, name } = options;
      const created = options.offline
        ? await withDatabase(options, async ({ database, clock }) => {
            const { id, secret } = await createToken(database, { role, name }, clock.now());
            return { id, token: secret };
          })
        : await (
            await AdapterClient.connect(options)
          ).request<{ id: string; token: string }>('POST', '/v1.0/tokens', { role, name });
      if (options.json) printJson(created);
      else print(created.token);
    });

  subcommand('list', 'list tokens (not their secrets)').action(async (options: TokenOptions) => {
    const tokens: TokenLine[] = options.offline
      ? (await withDatabase(options, ({ database }) => listTokens(database))).map(
          ({ revoked_at, ...rest }) => ({
            ...rest,
            revokedAt: revoked_at,
          }),
        )
      : (
          await (
            await AdapterClient.connect(options)
          ).request<{ items: TokenLine[] }>('GET', '/v1.0/tokens')
        ).items;
    if (options.json) {
      printJson(tokens);
      return;
    }
    for (const { id, role, name, revokedAt } of tokens) {
      print(`${id}  ${role.padEnd(8)}  ${name}${revokedAt === null ? '' : '  (revoked)'}`);
    }
  });

  subcommand('revoke', 'revoke a token; takes effect with the next request')
    .argument('<id>', 'id of the token, see token list')
    .action(async (id: string, options: TokenOptions) => {
      if (options.offline) {
        const known = await withDatabase(options, ({ database, clock }) =>
          revokeToken(database, id, clock.now()),
        );
        if (!known) throw new Error(`there is no token ${id}`);
      } else {
        const client = await AdapterClient.connect(options);
        await client.request('DELETE', `/v1.0/tokens/${encodeURIComponent(id)}`);
      }
      print(`revoked ${id}`);
    });
}

async function withDatabase<T>(
  options: TokenOptions,
  work: (storage: Storage) => Promise<T>,
): Promise<T> {
  const { ADAPTER_SCHEMA } = await import('../../adapter/index.js');
  const { openStorage } = await import('../../service/storage.js');
  const storage = await openStorage(options, ADAPTER_SCHEMA);
  try {
    return await work(storage);
  } finally {
    await storage.close();
  }
}
