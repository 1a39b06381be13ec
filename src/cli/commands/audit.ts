/** `otaops audit`: the audit log of an adapter or a CarOTA Server, its hash chain and its seals. */
import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Command } from 'commander';
import { auditApi, type AuditVerdict } from '../../contract/index.js';
import { protectAudit, verifyLog } from '../../service/audit/index.js';
import { openPostgres } from '../../service/database/index.js';
import { type ListedKey, readPublicKeyFile } from '../../uptane/signing/index.js';
import { print, printError, printJson } from '../output.js';
import { addExamples, clientOf, type CommonFlags, serverCommand } from '../server-command.js';
import { addSettings, DATABASE_URL } from '../settings/index.js';

const UNTRUSTED =
  'without --key, the seals are checked only against the keys in the log itself: anyone with the database and ' +
  'the seal key could have rewritten both';

export function auditCommand(program: Command): void {
  const audit = program
    .command('audit')
    .description('audit log of a server: verify, export, show the key that seals it');
  verifyCommand(audit);
  exportCommand(audit);
  keyCommand(audit);
  protectCommand(audit);
}

function verifyCommand(audit: Command): void {
  serverCommand(audit, {
    usage: 'verify [file]',
    description:
      'verify the hash chain and all seals of a running server’s log, or of an exported file; exit code 1 if it is not intact',
    examples: [
      'otaops audit verify --key audit-key.pub',
      'otaops audit verify audit-2026-11.jsonl --key audit-key.pub --json',
    ],
  })
    .option(
      '--key <file>',
      'public key to trust for seals, .pub or PEM; repeatable',
      (file: string, files: readonly string[]) => [...files, file],
      [] as readonly string[],
    )
    .action(async (file: string | undefined, flags: CommonFlags & { key: readonly string[] }) => {
      const keys: ListedKey[] = [];
      for (const path of flags.key) keys.push(await readPublicKeyFile(path));
      const input = file === undefined ? await exportOf(flags) : createReadStream(file);
      const lines = createInterface({ input, crlfDelay: Infinity });
      const verdict = await verifyLog(lines, keys.length > 0 ? keys : undefined);
      if (flags.json) printJson(verdict);
      else show(verdict);
      if (keys.length === 0) printError(UNTRUSTED);
      if (!verdict.intact) throw new Error('the audit log is not intact');
    });
}

function show({ intact, entries, seals, sealedTo, hash, faults }: AuditVerdict): void {
  for (const fault of faults) print(`BROKEN  ${fault}`);
  if (intact) print(`intact  ${entries} entries, ${seals} seals, sealed up to entry ${sealedTo}`);
  print(`hash of entry ${entries}: ${hash}`);
}

/** @throws ApiError, NoAnswer */
async function exportOf(flags: CommonFlags): Promise<Readable> {
  const { body } = await (await clientOf(flags)).open(auditApi.exportAudit, {});
  return body === null ? Readable.from([]) : Readable.fromWeb(body as never);
}

function exportCommand(audit: Command): void {
  serverCommand(audit, {
    usage: 'export',
    description: 'write the whole log as JSON Lines, with its chain and seals',
    examples: ['otaops audit export --output audit-2026-11.jsonl'],
  })
    .option('--output <file>', 'output file, which must not exist (default: standard output)')
    .action(async (flags: CommonFlags & { output?: string }) => {
      const input = await exportOf(flags);
      if (flags.output === undefined) {
        await pipeline(input, process.stdout, { end: false });
        return;
      }
      await pipeline(input, createWriteStream(flags.output, { flags: 'wx', mode: 0o600 }));
    });
}

function keyCommand(audit: Command): void {
  serverCommand(audit, {
    usage: 'key',
    description: 'print the public key that seals the log, for verify --key',
    examples: ['otaops audit key > audit-key.pub'],
  }).action(async (flags: CommonFlags) => {
    const { key } = await (await clientOf(flags)).call(auditApi.getAuditStatus, {});
    const { keytype, scheme } = key;
    printJson({ keytype, scheme, keyval: { public: key.public } });
  });
}

function protectCommand(audit: Command): void {
  const command = audit
    .command('protect')
    .description(
      'protect the audit log from the server’s own PostgreSQL role, which then may only add and read entries',
    )
    .requiredOption('--role <name>', 'role that the server uses in PostgreSQL');
  addExamples(command, [
    'otaops audit protect --database-url postgres://postgres@db/otaops --role otaops',
  ]);
  addSettings(command, [
    {
      ...DATABASE_URL,
      description: 'the server’s database, already migrated by the server, as a superuser',
    },
  ]);
  command.action(async ({ databaseUrl, role }: { databaseUrl?: string; role: string }) => {
    if (databaseUrl === undefined) throw new Error('--database-url is needed');
    const database = openPostgres({ url: databaseUrl, connections: 1 });
    try {
      await database.transaction((tx) => protectAudit(tx, role));
    } finally {
      await database.close();
    }
    print(`the audit log now belongs to otaops_audit; ${role} may add entries and read them`);
  });
}
