/** Opens the notifications: outbox, channels, and the watch for conditions that no event reports. */
import { type Logger } from 'pino';
import { type Database } from '../service/database/index.js';
import { BadSettings } from '../service/bad-settings.js';
import { addressGuard, createPoster } from '../service/outgoing/index.js';
import { openSecretBox, type SecretBox } from '../service/secrets/index.js';
import { trustedAuthorities } from '../service/tls/index.js';
import { type ServedRepository } from './image-repository/index.js';
import { type CarotaMetrics } from './metrics.js';
import {
  Channels,
  NotificationSender,
  resealRules,
  type SmtpSettings,
  Watch,
} from './notifications/index.js';
import { type AdapterClient } from './schedules/index.js';
import { type CarotaSettings } from './settings.js';

export interface Notifications {
  readonly channels: Channels;
  readonly box: SecretBox;
  readonly sender: NotificationSender;
  readonly watch: Watch;
}

interface Parts {
  readonly database: Database;
  readonly adapter: AdapterClient;
  readonly images: ServedRepository;
  readonly directorRootExpires: Date;
  readonly metrics: CarotaMetrics;
  /** ms */
  readonly clock: () => number;
  readonly log: Logger;
}

/** @throws BadSettings */
export async function openNotifications(
  settings: CarotaSettings,
  { database, adapter, images, directorRootExpires, metrics, clock, log }: Parts,
): Promise<Notifications> {
  const ca = await trustedAuthorities(settings.ca);
  const poster = createPoster(addressGuard(settings.callbackAllow ?? []), { ca });
  const channels = new Channels(poster, smtpOf(settings));
  const box = await openSecretBox(settings, log, 'notifications');
  const { sealed, closed } = await resealRules(database, box);
  if (sealed > 0) log.info({ rules: sealed }, 'sealed notification rules with the first key');
  // Their deliveries fail with this reason; the others are sent.
  if (closed.length > 0)
    log.error({ rules: closed }, 'these notification rules cannot be decrypted with any key');
  const onFailure = (error: Error) => log.warn({ err: error }, 'notifications are delayed');
  const sender = new NotificationSender({
    ...{ database, channels, box, clock, onFailure },
    onSent: (channel, outcome) => metrics.notificationSent(channel, outcome),
  });
  const watch = new Watch({
    ...{ database, clock, onFailure },
    newestDeadLetter: (signal) => adapter.newestDeadLetter(signal),
    async roles() {
      const director = { what: 'root of the Director', expires: directorRootExpires.getTime() };
      const { published } = await images.status();
      return [
        director,
        ...published
          .filter(({ role }) => role === 'root' || role === 'targets')
          .map(({ role, expires }) => ({
            what: `${role} of the image repository`,
            expires: Date.parse(expires),
          })),
      ];
    },
  });
  return { channels, box, sender, watch };
}

/** @throws BadSettings */
function smtpOf({ smtpUrl: url, smtpFrom: from }: CarotaSettings): SmtpSettings | undefined {
  if (url === undefined && from === undefined) return undefined;
  if (url === undefined || from === undefined) {
    throw new BadSettings('--smtp-url and --smtp-from must be given together');
  }
  return { url, from };
}
