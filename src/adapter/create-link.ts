/** The message link that the settings ask for: the embedded broker, or a real one. */
import { parseBrokerUrl, type TopicTemplate } from '../contract/index.js';
import { type SignInGuard } from '../service/access/index.js';
import { type Database } from '../service/database/index.js';
import { type FailedCertificate, type VehicleTls } from '../service/vehicle-tls/index.js';
import {
  type BrokerLimit,
  BrokerLink,
  type BrokerTls,
  EmbeddedBroker,
  type MessageLink,
  presenceTopic,
} from './message-link/index.js';
import {
  authenticateVehicle,
  identifyVehicle,
  readIdentities,
  readIdentityChanges,
} from './registry/index.js';
import { type MessageBudget } from './d2c-receiver/index.js';
import { type AdapterSettings } from './settings.js';

/** That of MQTT over TLS (IANA: secure-mqtt). */
const DEFAULT_MQTTS_PORT = 8883;
const WEEK_SECONDS = 7 * 24 * 60 * 60;

export interface LinkContext {
  readonly database: Database;
  readonly d2cTopic: TopicTemplate;
  readonly c2dTopic: TopicTemplate;
  /** Name of this adapter, the same after a restart where possible. */
  readonly instance: string;
  /** ms */
  readonly clock: () => number;
  /** Of vehicles at the embedded broker. */
  readonly signIns: SignInGuard;
  /** For the operator's broker. */
  readonly brokerTls: BrokerTls;
  /** Of the embedded broker; undefined: it has no TLS. */
  readonly vehicleTls: VehicleTls | undefined;
  readonly onRefused?: (limit: BrokerLimit) => void;
  /** Of messages at the embedded broker. */
  readonly budget: MessageBudget;
  readonly onOverBudget: (systemId: string) => void;
  /** Of vehicles with a certificate at the embedded broker. */
  readonly onSignInFailed?: (attempt: FailedCertificate) => void;
}

/** @throws Error where the presence topic is invalid */
export function createLink(settings: AdapterSettings, context: LinkContext): MessageLink {
  const { host, mqttPort, mqttUrl, mqttSessionExpiry, mqttPresenceTopic } = settings;
  const { database, c2dTopic, d2cTopic, instance, clock } = context;
  if (mqttUrl === undefined) {
    return new EmbeddedBroker({
      host,
      port: settings.mqttPlain === false ? undefined : mqttPort,
      mutualTls: context.vehicleTls && {
        port: settings.mqttsPort ?? DEFAULT_MQTTS_PORT,
        tls: context.vehicleTls,
      },
      c2dTopic,
      clock,
      signIns: context.signIns,
      limits: settings.brokerLimits,
      onRefused: context.onRefused,
      budget: context.budget,
      onOverBudget: context.onOverBudget,
      onSignInFailed: context.onSignInFailed,
      identities: {
        authenticate: (systemId, credential) => authenticateVehicle(database, systemId, credential),
        identify: (systemId) => identifyVehicle(database, systemId),
        current: (systemIds) => readIdentities(database, systemIds),
        changes: (since) => readIdentityChanges(database, since),
      },
    });
  }
  return new BrokerLink({
    address: { url: parseBrokerUrl(mqttUrl), tls: context.brokerTls },
    instance,
    d2cFilter: d2cTopic.filter,
    isShared: settings.mqttShared,
    presence: mqttPresenceTopic === undefined ? undefined : presenceTopic(mqttPresenceTopic),
    sessionExpirySeconds: mqttSessionExpiry ?? WEEK_SECONDS,
    database,
    clock,
  });
}
