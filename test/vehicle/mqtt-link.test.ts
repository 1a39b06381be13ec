/** The vehicle's connection: the newest MQTT version that the broker speaks, whoever asks first. */
import { createServer, type AddressInfo } from 'node:net';
import { Aedes } from 'aedes';
import { expect, test } from 'vitest';
import { MqttLink } from '../../src/vehicle/index.js';

test('vehicles that connect at once to a broker of MQTT 3.1.1 all get through', async () => {
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
