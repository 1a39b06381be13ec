/** `otaops token`: creates, lists and revokes tokens of an HTTP interface. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { ROLES, tokenApi } from '../../contract/adapter-api/index.js';
import { CAROTA_ROLES } from '../../contract/carota-api/index.js';
import { type NewToken, type TokenApi } from '../../contract/index.js';
import {
  createToken,
  expiryOf,
  listTokens,
  revokeToken,
  tokenFault,
} from '../../service/access/index.js';
import type { ExistingStorage } from '../../service/existing-storage.js';
import { print, printJson } from '../output.js';
import { connect, type ServerAddress } from '../server-client.js';
import { SERVER_SETTINGS } from '../server-command.js';
import { addSettings, DATABASE_URL } from '../settings/index.js';
import { parsePositive, type Parser, parseVin } from '../settings/parsers.js';
import { UsageError } from '../usage-error.js';

const ROLES_OF: Readonly<Record<ExistingStorage['part'], readonly string[]>> = {
  adapter: ROLES,
  carota: CAROTA_ROLES,
};
/** Each server rejects roles that it does not have. */
const ALL_ROLES = [...new Set(Object.values(ROLES_OF).flat())];

/** Of either server: their routes differ in the roles alone. */
const TOKENS: TokenApi = tokenApi;

interface TokenFlags extends ServerAddress {
  readonly databaseUrl?: string;
  readonly json?: boolean;
  readonly offline?: boolean;
}

export function tokenCommand(program: Command): void {
  const token = program
    .command('token')
    .description('tokens of an HTTP interface')
    .addHelpText(
      'after',
      `
Examples:
  otaops token create --role carota --name "CarOTA Server"
  otaops token create --role viewer --name "plant north" --model "vehicle model a" --model "vehicle model b"
  otaops token create --role vehicle --vin 5YJSA1E40FF345678 --name car --url http://127.0.0.1:8090 --data-dir .otaops-carota
  otaops token create --role admin --name recovery --offline   (the server is stopped)`,
    );

  const subcommand = (name: string, description: string) => {
    const command = token
      .command(name)
      .description(description)
      .option('--offline', 'access the database directly; an embedded one must not be in use')
      .option('--json', 'print JSON');
    return addSettings(command, [...SERVER_SETTINGS, DATABASE_URL]);
  };

  subcommand('create', 'create a token; it is shown once and stored hashed')
    .addOption(
      new Option('--role <role>', 'its permissions').choices(ALL_ROLES).makeOptionMandatory(),
    )
    .requiredOption('--name <name>', 'name of its owner, to distinguish tokens')
    .option('--vin <vin>', 'for role vehicle: the vehicle that uses it', parseVin)
    .option(
      '--model <model>',
      'vehicle model to which it is limited; repeatable (default: not limited)',
      collectModels,
    )
    .option('--valid-days <days>', 'when it expires (default: never)', parsePositive)
    .action(async (flags: TokenFlags & NewToken & Validity & { model?: string[] }) => {
      const { role, name, vin, model: scopes } = flags;
      const wanted = {
        ...{ role, name, ...(vin === undefined ? {} : { vin }) },
        ...(scopes === undefined ? {} : { scopes }),
        ...lifetimeOf(flags),
      };
      const created = flags.offline
        ? await withDatabase(flags, (storage) => createOffline(storage, wanted))
        : await (await connect(flags)).call(TOKENS.createToken, { body: wanted });
      if (flags.json) printJson(created);
      else print(created.token);
    });

  subcommand('list', 'list tokens (not their secrets)').action(async (flags: TokenFlags) => {
    const tokens = flags.offline
      ? (await withDatabase(flags, ({ database }) => listTokens(database))).map((token) => ({
          id: token.id,
          name: token.name,
          role: token.role,
          vin: token.vin,
          scopes: token.scopes,
          createdAt: token.created_at,
          revokedAt: token.revoked_at,
          expiresAt: token.expires_at,
          lastUsedAt: token.last_used_at,
          replacedBy: token.replaced_by,
        }))
      : (await (await connect(flags)).call(TOKENS.listTokens, {})).items;
    if (flags.json) {
      printJson(tokens);
      return;
    }
    for (const token of tokens) {
      print(`${token.id}  ${token.role.padEnd(8)}  ${token.name}${standingOf(token)}`);
    }
  });

  subcommand('rotate', 'create a successor with the same rights; both are valid for an overlap')
    .argument('<id>', 'id of the token, see token list')
    .option(
      '--overlap-hours <hours>',
      'how long the old one remains valid (default: 24)',
      parseHours,
    )
    .option(
      '--valid-days <days>',
      'when the new one expires (default: same lifetime as the old one)',
      parsePositive,
    )
    .action(async (id: string, flags: TokenFlags & Validity & { overlapHours?: number }) => {
      if (flags.offline) throw new UsageError('a token can only be rotated while the server runs');
      const { overlapHours: hours } = flags;
      const overlap = hours === undefined ? {} : { overlap: Math.round(hours * HOUR) };
      const rotated = await (
        await connect(flags)
      ).call(TOKENS.rotateToken, {
        params: { id },
        body: { ...overlap, ...lifetimeOf(flags) },
      });
      if (flags.json) printJson(rotated);
      else print(rotated.token);
    });

  subcommand('revoke', 'revoke a token; ends its requests in progress and rejects further ones')
    .argument('<id>', 'id of the token, see token list')
    .action(async (id: string, flags: TokenFlags) => {
      if (flags.offline) {
        const outcome = await withDatabase(flags, ({ database, clock }) =>
          revokeToken(database, id, clock.now()),
        );
        if (outcome === 'unknown') throw new Error(`no such token: ${id}`);
        if (outcome === 'last administrator') {
          throw new Error(`${id} is the only admin token: create another one first`);
        }
      } else {
        await (await connect(flags)).call(TOKENS.revokeToken, { params: { id } });
      }
      print(`revoked ${id}`);
    });
}

const collectModels = (model: string, before: string[] = []): string[] => {
  if (model === '') throw new InvalidArgumentError('must be a vehicle model.');
  return [...new Set([...before, model])];
};

const HOUR = 60 * 60;

interface Validity {
  readonly validDays?: number;
}

/** Seconds. */
const lifetimeOf = ({ validDays }: Validity): { lifetime?: number } =>
  validDays === undefined ? {} : { lifetime: Math.round(validDays * 24 * HOUR) };

const parseHours: Parser<number> = (text) => (text === '0' ? 0 : parsePositive(text));

interface Standing {
  readonly scopes: readonly string[] | null;
  readonly revokedAt: Date | string | null;
  readonly expiresAt: Date | string | null;
  readonly lastUsedAt: Date | string | null;
}

/** Facts about a token besides its role. */
function standingOf({ scopes, revokedAt, expiresAt, lastUsedAt }: Standing): string {
  if (revokedAt !== null) return '  (revoked)';
  const day = (time: Date | string) => new Date(time).toISOString().slice(0, 10);
  const facts = [
    ...(scopes === null ? [] : [`only ${scopes.join(', ')}`]),
    ...(expiresAt === null ? [] : [`until ${day(expiresAt)}`]),
    lastUsedAt === null ? 'never used' : `last used ${day(lastUsedAt)}`,
  ];
  return `  (${facts.join(', ')})`;
}

/** @throws UsageError if the server of this database has no such role */
async function createOffline(
  { database, clock, part }: ExistingStorage,
  wanted: NewToken,
): Promise<{ id: string; token: string; expiresAt: Date | null }> {
  const roles = ROLES_OF[part];
  if (!roles.includes(wanted.role)) {
    const server = part === 'adapter' ? 'an adapter' : 'a CarOTA Server';
    throw new UsageError(
      `this is the database of ${server}: --role must be one of ${roles.join(', ')}`,
    );
  }
  const fault = tokenFault(wanted);
  if (fault !== undefined) throw new UsageError(fault.message);
  const token = { ...wanted, vin: wanted.vin?.toUpperCase() };
  const now = clock.now();
  const { id, secret } = await createToken(database, token, now);
  return { id, token: secret, expiresAt: expiryOf(wanted.lifetime, now) };
}

async function withDatabase<T>(
  flags: TokenFlags,
  work: (storage: ExistingStorage) => Promise<T>,
): Promise<T> {
  const { openExistingStorage } = await import('../../service/existing-storage.js');
  const storage = await openExistingStorage(flags);
  try {
    return await work(storage);
  } finally {
    await storage.close();
  }
}
