/**
 * The path of messages to and from vehicles: message link, C2DSender and D2C receiver. They are created in this order, each
 * from the ones before it, and connected when the path is opened.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger } from 'pino';
import { DEFAULT_C2D_TOPIC, DEFAULT_D2C_TOPIC, topicTemplate } from '../contract/index.js';
import { type SignInGuard } from '../service/access/index.js';
import { type AttemptLog } from '../service/audit/index.js';
import { type Database } from '../service/database/index.js';
import { type VehicleTls } from '../service/vehicle-tls/index.js';
import { C2dSender, DEFAULT_RETRY } from './c2d-sender/index.js';
import { createLink } from './create-link.js';
import {
  type BatchRow,
  D2cReceiver,
  DEFAULT_MESSAGE_BUDGET,
  Floods,
  MessageBudget,
} from './d2c-receiver/index.js';
import { type EventStream } from './event-stream/index.js';
import { type Traffic } from './group/index.js';
import { type Shards } from './identity.js';
import { logMessage, logSends } from './message-log.js';
import { type BrokerTls, type MessageLink } from './message-link/index.js';
import { type Metrics, type Part } from './metrics/index.js';
import { type AdapterSettings } from './settings.js';
import { type Tracing } from './tracing/index.js';

export interface MessagePathContext {
  readonly database: Database;
  /** ms */
  readonly clock: () => number;
  readonly instance: string;
  readonly shards: Shards;
  readonly stream: EventStream;
  readonly traffic: Traffic;
  /** Identities of vehicles at the embedded broker. */
  readonly signIns: SignInGuard;
  readonly vehicleTls: VehicleTls | undefined;
  /** For the operator's broker. */
  readonly brokerTls: BrokerTls;
  readonly attempts: AttemptLog;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly log: Logger;
  /** Logs and counts failures of a part, which retries by itself. */
  readonly failed: (part: Part, message: string) => (error: Error) => void;
}

export interface MessagePath {
  readonly link: MessageLink;
  readonly sender: C2dSender;
  readonly receiver: D2cReceiver;
  /** Connects to the broker, or starts the embedded one. @throws as {@link MessageLink.open} */
  open(): Promise<void>;
  /** Reads no more messages and stores those already read, for a limited time. */
  drain(): Promise<void>;
}

/** How long a stop waits until received messages are stored, ms. */
const DRAIN_MS = 7_000;

/** @throws Error if a topic in the settings is invalid */
export function createMessagePath(
  settings: AdapterSettings,
  context: MessagePathContext,
): MessagePath {
  const { database, clock, instance, metrics, log } = context;
  const c2dTopic = topicTemplate(settings.c2dTopic ?? DEFAULT_C2D_TOPIC);
  const d2cTopic = topicTemplate(settings.d2cTopic ?? DEFAULT_D2C_TOPIC);
  const budget = new MessageBudget(settings.messageBudget ?? DEFAULT_MESSAGE_BUDGET);
  const floods = new Floods({
    database,
    clock,
    onFailure: context.failed('d2c-receiver', 'floods could not be noted'),
  });
  const onOverBudget = (systemId: string) => {
    metrics.refused('vehicle-messages');
    floods.note(systemId);
  };
  const link = createLink(settings, {
    database,
    d2cTopic,
    c2dTopic,
    instance,
    clock,
    signIns: context.signIns,
    vehicleTls: context.vehicleTls,
    brokerTls: context.brokerTls,
    onRefused: (limit) => metrics.refused(limit),
    onSignInFailed: (attempt) => context.attempts.signInFailed(attempt),
    budget,
    onOverBudget,
  });
  const sender = new C2dSender({
    database,
    c2dTopic,
    publish: (message) => link.publish(message),
    isConnected: () => link.isConnected,
    retry: settings.retry ?? DEFAULT_RETRY,
    shards: context.shards.sender,
    clock,
    traced: context.tracing.send,
    onRecorded: (outcomes) => {
      metrics.sendsRecorded(outcomes);
      context.traffic.triggered(outcomes.filter(({ outcome }) => outcome === 'sent').length);
      logSends(log, outcomes);
    },
    onFailure: context.failed('c2d-sender', 'triggers could not be sent; retrying'),
  });
  const receiver = new D2cReceiver({
    database,
    d2cTopic,
    shards: context.shards.ingest,
    deadLetterLimits: settings.deadLetterLimits,
    // Only the embedded broker can hold messages; another one has already acknowledged them.
    ...(settings.mqttUrl === undefined ? {} : { budget, onOverBudget }),
    follow: followUps(settings, context, sender),
    onBatch: (outcome, seconds) => {
      metrics.batchStored(outcome, seconds);
      context.traffic.received(outcome.received);
      if (outcome.applied > 0) context.stream.committed();
    },
    onFailure: context.failed('d2c-receiver', 'messages could not be stored; retrying'),
  });
  return {
    link,
    sender,
    receiver,
    open: () => link.open(linkHandlers(settings, context, { link, sender, receiver })),
    async drain() {
      await link.pause();
      await Promise.race([receiver.drain(), sleep(DRAIN_MS, undefined, { ref: false })]);
      receiver.stop();
      await floods.stop();
    },
  };
}

/** Follow-up of a stored message. */
function followUps(
  settings: AdapterSettings,
  { log, tracing, clock }: MessagePathContext,
  sender: C2dSender,
): (row: BatchRow) => (() => void) | undefined {
  // If nothing reports presence, a vehicle is treated as online when a message arrives from it.
  const isPresenceUnknown = settings.mqttUrl !== undefined && !settings.mqttPresenceTopic;
  // Separate functions, because thousands of follow-ups wait for commits, and only those that need a row should hold it.
  const seen = (systemId: string) => () => sender.vehicleSeen(systemId);
  const stored = (row: BatchRow) => () => {
    logMessage(log, row);
    if (row.kind === 'refused') return;
    if (isPresenceUnknown) sender.vehicleSeen(row.systemId);
    tracing.stored(row, clock());
  };
  return (row) => {
    const isOrdinary = row.kind !== 'refused' && row.traceParent === null;
    if (!isOrdinary || log.isLevelEnabled('debug')) return stored(row);
    return isPresenceUnknown ? seen(row.systemId) : undefined;
  };
}

function linkHandlers(
  settings: AdapterSettings,
  { log, metrics }: MessagePathContext,
  { link, sender, receiver }: Pick<MessagePath, 'link' | 'sender' | 'receiver'>,
): Parameters<MessageLink['open']>[0] {
  return {
    onMessage: (message) => receiver.receive(message),
    backpressure: () => receiver.backpressure(),
    isAllStored: () => receiver.isIdle,
    onVehicleConnected: (systemId) => sender.vehicleConnected(systemId),
    onUp: () => {
      log.info({ mqtt: link.address }, 'connected to the MQTT broker');
      sender.wake();
    },
    onSubscribed: () => log.info({ mqtt: link.address }, "subscribed to the vehicles' messages"),
    onProblem: (error) => {
      metrics.failed('message-link');
      const severity = settings.mqttUrl === undefined ? 'debug' : 'warn';
      log[severity]({ err: error }, 'a connection was refused or broke');
    },
  };
}
