/** Opens the message link that the settings ask for: the embedded broker, or one of your own. */
import { readFile } from 'node:fs/promises';
import { parseBrokerUrl, type TopicTemplate } from '../contract/index.js';
import { type Database } from '../service/database/index.js';
import {
  type LinkHandlers,
  type MessageLink,
  openBrokerLink,
  presenceTopic,
  startEmbeddedBroker,
} from './message-link/index.js';
import { authenticateVehicle, readIdentities, readIdentityChanges } from './registry/index.js';
import { type AdapterSettings } from './settings.js';

const WEEK_SECONDS = 7 * 24 * 60 * 60;

export interface LinkContext {
  readonly database: Database;
  readonly d2cTopic: TopicTemplate;
  readonly c2dTopic: TopicTemplate;
  /** Name of this adapter, the same after a restart where that can be. */
  readonly instance: string;
  /** ms */
  readonly clock: () => number;
  readonly handlers: LinkHandlers;
}

/** @throws Error where a port is taken, a file is not there, or a topic is none */
export async function openLink(
  settings: AdapterSettings,
  context: LinkContext,
): Promise<MessageLink> {
  const { host, mqttPort, mqttUrl, mqttSessionExpiry, mqttPresenceTopic } = settings;
  const { database, c2dTopic, d2cTopic, instance, clock, handlers } = context;
  if (mqttUrl === undefined) {
    return startEmbeddedBroker({
      host,
      port: mqttPort,
      c2dTopic,
      clock,
      identities: {
        authenticate: (systemId, credential) => authenticateVehicle(database, systemId, credential),
        current: (systemIds) => readIdentities(database, systemIds),
        changes: (since) => readIdentityChanges(database, since),
      },
      handlers,
    });
  }
  const pem = async (name: 'ca' | 'cert' | 'key', file: string | undefined) =>
    file === undefined ? {} : { [name]: await readFile(file, 'utf8') };
  return openBrokerLink({
    address: {
      url: parseBrokerUrl(mqttUrl),
      tls: {
        ...(await pem('ca', settings.mqttCa)),
        ...(await pem('cert', settings.mqttCert)),
        ...(await pem('key', settings.mqttKey)),
      },
    },
    instance,
    d2cFilter: d2cTopic.filter,
    isShared: settings.mqttShared,
    presence: mqttPresenceTopic === undefined ? undefined : presenceTopic(mqttPresenceTopic),
    sessionExpirySeconds: mqttSessionExpiry ?? WEEK_SECONDS,
    database,
    clock,
    handlers,
  });
}
