/** Opens the event call-back, with the receiver that the settings name. */
import { type Logger } from 'pino';
import {
  addReceiver,
  CallBack,
  type CallBackOptions,
  changeReceiver,
  findReceiver,
  resealReceivers,
} from './call-back/index.js';
import { addressGuard, checkAddress, isSigningSecret } from '../service/outgoing/index.js';
import { BadSettings } from '../service/bad-settings.js';
import { type Database } from '../service/database/index.js';
import { hasSecretKey, SECRET_KEY_ADVICE, type SecretBox } from '../service/secrets/index.js';
import { type Metrics } from './metrics/index.js';
import { type AdapterSettings } from './settings.js';

const DEFAULT_BATCH = 500;
/** Name of the receiver from the settings. */
const DEFAULT_RECEIVER = 'default';
/** Failures of one batch that are logged; after these, every hundredth. */
const LOGGED_FAILURES = new Set([1, 3, 10, 30]);

/** @throws BadSettings where the receiver that the settings name is invalid */
export function checkCallBackSettings(settings: AdapterSettings): void {
  const { callbackUrl: url, callbackSecret: secret, callbackAllow: allowed = [] } = settings;
  if (url === undefined) return;
  if (secret === undefined) throw new BadSettings('--callback-url needs --callback-secret');
  if (!isSigningSecret(secret)) {
    throw new BadSettings('--callback-secret must be whsec_ and base64 of 24 to 64 bytes');
  }
  if (!hasSecretKey(settings)) {
    throw new BadSettings(
      `--callback-url has a secret to be stored encrypted: ${SECRET_KEY_ADVICE}`,
    );
  }
  try {
    checkAddress(url, addressGuard(allowed));
  } catch (error) {
    throw new BadSettings(`--callback-url: ${(error as Error).message}`);
  }
}

/** Adds or updates the receiver of the settings; see {@link checkCallBackSettings}. */
export async function openCallBack(
  settings: AdapterSettings,
  context: Pick<CallBackOptions, 'stream' | 'poster' | 'clock'> & {
    readonly database: Database;
    readonly box: SecretBox;
    readonly metrics: Metrics;
  },
  log: Logger,
): Promise<CallBack> {
  const { metrics, ...parts } = context;
  await configureReceiver(settings, parts);
  const { sealed, closed } = await resealReceivers(parts.database, parts.box, parts.clock());
  if (sealed > 0)
    log.info({ receivers: sealed }, 'sealed secrets of call-backs with the first key');
  // They fail and say why; the others are served.
  if (closed.length > 0) log.error({ receivers: closed }, 'no key opens the secrets of call-backs');
  return new CallBack({
    ...parts,
    batchEvents: settings.callbackBatch ?? DEFAULT_BATCH,
    onPosted: (receiver, isSettled, events, seconds) =>
      metrics.posted(receiver, isSettled, events, seconds),
    onNotSettled: (receiver, failures, error) => {
      if (!LOGGED_FAILURES.has(failures) && failures % 100 !== 0) return;
      log.warn({ receiver, failures, err: error }, 'a call-back was not settled; retrying');
    },
    onFailure: (error) => {
      metrics.failed('call-back');
      log.error({ err: error }, 'call-backs could not be read or recorded; retrying');
    },
  });
}

async function configureReceiver(
  { callbackUrl: url, callbackSecret: secret }: AdapterSettings,
  { database, clock, box }: Pick<CallBackOptions, 'database' | 'clock' | 'box'>,
): Promise<void> {
  if (url === undefined || secret === undefined) return;
  // From the start of the stream: earlier events are delivered too.
  const receiver = { name: DEFAULT_RECEIVER, url, secret, after: 0 };
  const added = await addReceiver(database, receiver, clock(), box);
  if (added) return;
  const existing = await findReceiver(database, DEFAULT_RECEIVER);
  if (existing) await changeReceiver(database, existing.id, { url, secret }, clock(), box);
}
