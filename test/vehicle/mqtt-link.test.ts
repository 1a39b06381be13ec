/** The vehicle's connection uses the newest MQTT version that the broker supports, detected once. */
import { createServer, type AddressInfo } from 'node:net';
import { Aedes } from 'aedes';
import { expect, test } from 'vitest';
import { MqttLink } from '../../src/vehicle/index.js';

test('vehicles that connect simultaneously to an MQTT 3.1.1 broker all succeed', async () => {
  const aedes = await Aedes.createBroker();
  const server = createServer((socket) => void aedes.handle(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const links = [1, 2, 3].map((n) => new MqttLink({ url, systemId: `v${n}`, credential: '' }));
  await Promise.all(
    links.map(
      (link) =>
        new Promise<void>((onUp) => {
          link.open({ onMessage: () => undefined, onUp });
        }),
    ),
  );
  await Promise.all(links.map((link) => link.publish(Buffer.from('hello'))));
  expect(links.map(({ isUp }) => isUp)).toEqual([true, true, true]);
  await Promise.all(links.map((link) => link.close()));
  await new Promise<void>((resolve) => aedes.close(resolve));
  server.close();
});
