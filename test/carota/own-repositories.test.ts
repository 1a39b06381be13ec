/** The server's own image repository and Director, from upload to the vehicle, with nothing simulated by a test. */
import { readFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { eventually } from '../support/adapter.js';
import { vinOf } from '../support/messages.js';
import { must } from '../uptane/support/must.js';
import {
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from './support/test-carota.js';
import { newEcus, registration } from './support/test-director.js';
import { newUptaneClient } from './support/uptane-client.js';

/** Adds the token, which the client for conformance tests does not have. */
async function withToken({ carota, token }: TestCarota) {
  const server = createServer((request, response) => {
    const url = new URL(`/uptane${request.url}`, carota.httpUrl);
    httpRequest(url, { headers: { 'authorization-token': token } }, (answer) => {
      response.writeHead(answer.statusCode ?? 500);
      answer.pipe(response);
    }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

test('a vehicle installs a scheduled upload for its hardware', async () => {
  const adapter = await startAdapterDouble();
  const carota = await startTestCarota(adapter.url);
  const vin = vinOf(1, 'TRU');
  const ecus = newEcus();
  await carota.call('PUT', `/v1.0/vehicles/${vin}`, { body: { model: MODEL } });
  const body = { ecus: ecus.map(registration) };
  await carota.call('PUT', `/v1.0/vehicles/${vin}/ecus`, { body });

  const upload = await carota.call(
    'POST',
    '/v1.0/artifacts?name=radio&hardwareIds=hw-hu&releaseCounter=3',
    { headers: { 'content-type': 'application/octet-stream' }, body: Buffer.from('radio 1') },
  );
  const { sha256, md5, size } = upload.body;
  const script = {
    version: 'v1',
    'script-ref-id': 'hu only 001',
    model: MODEL,
    ecus: [{ ecu: 'HU', version: '1.1.0', artifact: { sha256, md5, size } }],
  };
  const query = 'hardwareIds=hw-primary&releaseCounter=1';
  await carota.call('POST', `/v1.0/update-scripts?${query}`, { body: script });
  const plan = { 'ref-id': 's', 'script-ref-id': 'hu only 001', model: MODEL, vins: [vin] };
  await carota.call('POST', '/v1.0/schedules', { body: plan });
  await eventually(
    async () => (await carota.call('GET', `/v1.0/vehicles/${vin}/ecus`)).body.order,
    (order) => order !== null,
  );

  const site = await withToken(carota);
  const { directorRootFile, imageRootFile } = carota.carota;
  const client = await newUptaneClient({
    vin,
    ecus,
    directorRoot: readFileSync(must(directorRootFile)),
    imageRoot: readFileSync(must(imageRootFile)),
    directorUrl: `${site.url}/director`,
    imageUrl: `${site.url}/image`,
  });
  expect(await client.update()).toBe('updated');
  expect(client.image('H-1')).toBe('radio 1');
  expect(JSON.parse(client.image('P-1'))).toEqual(script);
  expect(await client.update()).toBe('no-update');
  await site.close();
  await carota.stop();
  await adapter.stop();
});
