/** One trace connects the trigger's request, the OTA_TRIGGER and the vehicle's events. */
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { startTestAdapter, eventually, triggerEvent } from '../support/adapter.js';
import {
  MemoryJournal,
  MemoryOutbox,
  MqttLink,
  VehicleAgent,
  VehicleClock,
} from '../../src/vehicle/index.js';
import { credentialOf } from '../support/adapter.js';
import { vehicleOf } from '../support/messages.js';
import { connectVehicle } from '../support/mqtt-vehicle.js';

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
}

/** An OTLP collector (OTLP over HTTP, JSON) that keeps the spans it receives. */
async function startCollector() {
  const spans: Span[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const { resourceSpans } = JSON.parse(text) as {
        resourceSpans: { scopeSpans: { spans: Span[] }[] }[];
      };
      for (const { scopeSpans } of resourceSpans) {
        for (const scope of scopeSpans) spans.push(...scope.spans);
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    spans,
    url: `http://127.0.0.1:${port}/v1/traces`,
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}

const [traced, untraced] = [vehicleOf(1, 'TRC'), vehicleOf(2, 'TRC')] as const;

test('one trace leads from the request through the trigger to the acknowledgement and the events', async () => {
  const collector = await startCollector();
  const t = await startTestAdapter({ otlpUrl: collector.url });
  await t.register(traced);
  const agent = new VehicleAgent({
    identity: { ...traced, deviceId: 'device1234', ecuType: 'TCU' },
    link: new MqttLink({
      url: t.adapter.mqttUrl,
      systemId: traced.systemId,
      credential: credentialOf(traced.vin),
    }),
    otaManager: {
      run: (update) => {
        update.report('success');
        return Promise.resolve();
      },
    },
    journal: new MemoryJournal(),
    outbox: new MemoryOutbox(),
    clock: new VehicleClock(Date.now),
  });
  agent.goOnline();
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  await t.call('POST', '/v1.0/ota/trigger', {
    headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
    body: triggerEvent('traced', [traced.vin]),
  });
  await eventually(
    async () => (await t.call('GET', '/v1.0/ota/operations/traced')).body.states,
    (states) => states.success === 1,
  );
  await agent.stop();
  // The remaining spans are exported on stop.
  await t.stop();
  await collector.stop();
  const named = (name: string) => collector.spans.filter((span) => span.name === name);
  const [request] = named('trigger operation') as [Span];
  const [send] = named('OTA_TRIGGER') as [Span];
  expect(request).toMatchObject({ traceId, parentSpanId: '00f067aa0ba902b7' });
  expect(send).toMatchObject({ traceId, parentSpanId: request.spanId });
  for (const name of ['OTA_TRIGGER_ACK', 'OTA_EVENT']) {
    expect(named(name).map((span) => [span.traceId, span.parentSpanId])).toContainEqual([
      traceId,
      send.spanId,
    ]);
  }
});

test.each([
  ['off by default', undefined],
  ['of no vehicle at ratio 0', 0],
])('%s: the trigger carries no trace context', async (_name, traceRatio) => {
  const collector = await startCollector();
  const t = await startTestAdapter(
    traceRatio === undefined ? {} : { otlpUrl: collector.url, traceRatio },
  );
  await t.register(untraced);
  const link = await connectVehicle(t.adapter.mqttUrl, untraced);
  await t.trigger('plain', [untraced.vin]);
  const { property_bag } = JSON.parse((await link.receive()).toString()) as {
    property_bag: object;
  };
  expect(property_bag).toEqual({ body_encoding_type: 1, ack_required: '1' });
  await link.end();
  await t.stop();
  await collector.stop();
});
