/** Opens a server's audit log: its seal key, the chain, and the log of attempts; and records the start. */
import { type Logger } from 'pino';
import { type ServerName } from '../../contract/index.js';
import { BadSettings } from '../bad-settings.js';
import { openSealKey } from '../chain/index.js';
import { type LanedDatabase } from '../database/index.js';
import { type OpenedParts } from '../opened.js';
import { fetchTrusting, trustedAuthorities } from '../tls/index.js';
import { type Signer } from '../../uptane/signing/index.js';
import { AttemptLog } from './attempt-log.js';
import { type CopyWatch } from './audit-metrics.js';
import { recordActions } from './audit.js';
import { auditWeaknesses } from './protect-audit.js';
import { AuditSequencer } from './sequencer.js';
import { AuditCopy } from './copies/audit-copy.js';
import { type CopyTransport } from './copies/copied-line.js';
import { openOtlp } from './copies/otlp-transport.js';
import { openSyslog } from './copies/syslog-transport.js';
import { withoutSecrets } from './without-secrets.js';

export interface AuditSettings {
  readonly dataDir: string;
  /** Ed25519, PEM; undefined: one in the data directory, made at the first start. */
  readonly auditKeyFile?: string | undefined;
  /** `tcp://`, `tls://` or `udp://host:port` of a copy of the log; undefined: no copy. */
  readonly auditSyslog?: string | undefined;
  /** URL of a receiver of OTLP logs over HTTP for a copy of the log; undefined: no copy. */
  readonly auditOtlp?: string | undefined;
  readonly auditOtlpToken?: string | undefined;
  /** PEM file of CAs to be trusted besides the well-known ones. */
  readonly ca?: string | undefined;
}

export interface OpenedAudit {
  readonly attempts: AttemptLog;
  /** Seals the log. */
  readonly key: Signer;
}

export interface AuditedServer {
  readonly name: ServerName;
  readonly database: LanedDatabase;
  /** The database's time, ms. */
  readonly clock: () => number;
  readonly version: string;
  readonly copy: CopyWatch;
}

/** @throws BadSettings, SealKeyFault, KeyFileFault, DatabaseError */
export async function openAudit(
  settings: AuditSettings,
  server: AuditedServer,
  opened: OpenedParts,
  log: Logger,
): Promise<OpenedAudit> {
  const { clock, version } = server;
  const database = server.database.requests;
  const key = await openSealKey(settings.dataDir, settings.auditKeyFile);
  const weaknesses = await auditWeaknesses(database);
  if (weaknesses.length > 0) {
    log.warn({ weaknesses }, 'the database role of this server could change the audit log');
  }
  const sequencer = new AuditSequencer({
    database,
    clock,
    signer: key,
    onFailure: (error) => log.error({ err: error }, 'the audit log could not be chained; retrying'),
  });
  sequencer.start();
  opened.add('audit chain', () => sequencer.stop());
  const attempts = new AttemptLog({
    database,
    clock,
    onFailure: (error) =>
      log.error({ err: error }, 'refused attempts could not be recorded; retrying'),
  });
  attempts.start();
  opened.add('refused attempts', () => attempts.stop());
  for (const transport of await copiesOf(settings)) {
    const { name } = transport;
    const copy = new AuditCopy({
      database,
      log: server.name,
      transport,
      onBehind: (entries) => server.copy.onBehind(name, entries),
      onFailure: (error) => {
        server.copy.onFailed(name);
        log.warn({ err: error, copy: name }, 'the audit log could not be copied; retrying');
      },
    });
    copy.start();
    opened.add(`copy of the audit log (${name})`, () => copy.stop());
  }
  const by = { id: '', name: 'server', reason: '' };
  const detail = { version, settings: withoutSecrets(settings) };
  await recordActions(database, 'start', [{ by, vin: null, detail }], clock());
  return { attempts, key };
}

/** @throws BadSettings */
async function copiesOf({
  auditSyslog,
  auditOtlp,
  auditOtlpToken,
  ca: file,
}: AuditSettings): Promise<CopyTransport[]> {
  if (auditOtlpToken !== undefined && auditOtlp === undefined) {
    throw new BadSettings('--audit-otlp-token needs --audit-otlp');
  }
  if (auditSyslog === undefined && auditOtlp === undefined) return [];
  const ca = await trustedAuthorities(file);
  return [
    ...(auditSyslog === undefined ? [] : [openSyslog(auditSyslog, ca)]),
    ...(auditOtlp === undefined
      ? []
      : [openOtlp({ url: auditOtlp, token: auditOtlpToken, fetch: fetchTrusting(ca) })]),
  ];
}
