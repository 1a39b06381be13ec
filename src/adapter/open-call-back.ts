/** The event call-back as the settings ask for it, with the receiver that they name. */
import { type Logger } from 'pino';
import {
  addressGuard,
  addReceiver,
  checkAddress,
  CallBack,
  type CallBackOptions,
  changeReceiver,
  findReceiver,
  isSigningSecret,
} from './call-back/index.js';
import { BadSettings } from '../service/bad-settings.js';
import { type Database } from '../service/database/index.js';
import { type Metrics } from './metrics/index.js';
import { type AdapterSettings } from './settings.js';

const DEFAULT_BATCH = 500;
/** Name of the receiver that comes from the settings. */
const DEFAULT_RECEIVER = 'default';
/** A receiver that refuses is told of in the log at these tries, then at each hundredth. */
const TOLD_AT = new Set([1, 3, 10, 30]);

/** @throws BadSettings where the settings name a receiver that cannot be one */
export function checkCallBackSettings(settings: AdapterSettings): void {
  const { callbackUrl: url, callbackSecret: secret, callbackAllow: allowed = [] } = settings;
  if (url === undefined) return;
  if (secret === undefined) throw new BadSettings('--callback-url needs --callback-secret');
  if (!isSigningSecret(secret)) {
    throw new BadSettings('--callback-secret must be whsec_ and base64 of 24 to 64 bytes');
  }
  try {
    checkAddress(url, addressGuard(allowed));
  } catch (error) {
    throw new BadSettings(`--callback-url: ${(error as Error).message}`);
  }
}

/** With the receiver of the settings; see {@link checkCallBackSettings}. */
export async function openCallBack(
  settings: AdapterSettings,
  context: Pick<CallBackOptions, 'database' | 'stream' | 'poster' | 'clock'> & {
    readonly database: Database;
    readonly metrics: Metrics;
  },
  log: Logger,
): Promise<CallBack> {
  const { metrics, ...parts } = context;
  await configureReceiver(settings, parts);
  return new CallBack({
    ...parts,
    batchEvents: settings.callbackBatch ?? DEFAULT_BATCH,
    onPosted: (receiver, settled, events, seconds) =>
      metrics.posted(receiver, settled, events, seconds),
    onNotSettled: (receiver, failures, error) => {
      if (!TOLD_AT.has(failures) && failures % 100 !== 0) return;
      log.warn({ receiver, failures, err: error }, 'a call-back was not settled; trying again');
    },
    onFailure: (error) => {
      metrics.failed('call-back');
      log.error({ err: error }, 'call-backs could not be looked up or recorded; trying again');
    },
  });
}

async function configureReceiver(
  { callbackUrl: url, callbackSecret: secret }: AdapterSettings,
  { database, clock }: Pick<CallBackOptions, 'database' | 'clock'>,
): Promise<void> {
  if (url === undefined || secret === undefined) return;
  // From the beginning: what happened before is not skipped either.
  const receiver = { name: DEFAULT_RECEIVER, url, secret, after: 0 };
  const added = await addReceiver(database, receiver, clock());
  if (added) return;
  const known = await findReceiver(database, DEFAULT_RECEIVER);
  if (known) await changeReceiver(database, known.id, { url, secret }, clock());
}
