/**
 * An integrator's client in TypeScript that uses the typed client of this package; the README shows it:
 *
 *   OTAOPS_TOKEN=... node typed-client.ts
 *
 * (Node.js 22.18 or newer runs TypeScript directly. The vehicle must be registered.)
 */
import { ApiError, Client } from 'otaops/contract';
import { operationApi, triggerApi } from 'otaops/contract/adapter-api';

const client = new Client({
  url: 'https://ota.example',
  token: process.env.OTAOPS_TOKEN,
  timeout: 10_000, // ms
  retries: 3, // only of requests that may be sent again
});

const { accepted } = await client.call(triggerApi.trigger, {
  body: {
    time: Date.now(),
    version: 'v1',
    body: {
      model: 'vehicle model a',
      'ref-id': 'schedule 0909',
      'script-ref-id': 'hu only 001',
      vins: ['5YJSA1E40FF345678'],
    },
  },
});
console.log('accepted', accepted);

// All pages, one after another.
const params = { 'ref-id': 'schedule 0909' };
for await (const { vin, state } of client.items(operationApi.listOperationVehicles, { params })) {
  console.log(vin, state);
}

try {
  await client.call(operationApi.getOperation, { params: { 'ref-id': 'schedule 0000' } });
} catch (error) {
  if (!(error instanceof ApiError)) throw error; // NoAnswer: no server answered in time
  console.log(error.status, error.code); // 404 OPERATION_NOT_FOUND
}
