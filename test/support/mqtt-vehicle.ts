/** An MQTT vehicle that sends exactly the bytes given by the test. */
import mqtt, { type MqttClient } from 'mqtt';
import { decodeMessage } from '../../src/contract/index.js';
import { credentialOf } from './adapter.js';
import { type TestVehicle } from './messages.js';

export interface MqttVehicle {
  readonly client: MqttClient;
  /** Resolves once the adapter has stored it. */
  send(payload: Buffer | string, topic?: string): Promise<void>;
  /** The next message on the vehicle's topic. */
  receive(): Promise<Buffer>;
  /** The envelope of the operation's next trigger; repeated triggers of other operations are skipped. */
  receiveTrigger(refId: string): Promise<Record<string, unknown>>;
  end(): Promise<void>;
}

export async function connectVehicle(
  url: string,
  vehicle: TestVehicle,
  options: { credential?: string; clean?: boolean; stored?: () => Promise<void> } = {},
): Promise<MqttVehicle> {
  const client = await mqtt.connectAsync(url, {
    clientId: vehicle.systemId,
    username: vehicle.systemId,
    password: options.credential ?? credentialOf(vehicle.vin),
    clean: options.clean ?? true,
    reconnectPeriod: 0,
    protocolVersion: 4,
  });
  const arrived: Buffer[] = [];
  const waiting: ((payload: Buffer) => void)[] = [];
  client.on('message', (_topic, payload) => {
    const next = waiting.shift();
    if (next) next(payload);
    else arrived.push(payload);
  });
  await client.subscribeAsync(`c2d/${vehicle.systemId}`, { qos: 1 });
  const receive = () =>
    new Promise<Buffer>((resolve) => {
      const payload = arrived.shift();
      if (payload) resolve(payload);
      else waiting.push(resolve);
    });
  return {
    client,
    async send(payload, topic = `d2c/${vehicle.systemId}`) {
      await client.publishAsync(topic, payload, { qos: 1 });
      await options.stored?.();
    },
    receive,
    async receiveTrigger(refId) {
      for (;;) {
        const payload = await receive();
        const message = decodeMessage(payload);
        if (!message.ok || message.value.message_type !== 'OTA_TRIGGER') continue;
        if (message.value.body['ref-id'] !== refId) continue;
        return JSON.parse(payload.toString()) as Record<string, unknown>;
      }
    },
    async end() {
      await client.endAsync(true);
    },
  };
}
