/** The vehicles of a benchmark, in a separate process; see load.ts for its counterpart. */
import { readFileSync } from 'node:fs';
import { simulatedCredential } from '../fleet/index.js';
import { eventSource, type Published, type TriggeredVehicle } from './event-source.js';
import { type LoadAnswer, type LoadRequest } from './load.js';
import { RawClient } from './raw-client.js';

let clients: RawClient[] = [];
let next: (n: number) => Published = () => ({ topic: '', payload: '' });
let received = 0;
let onPuback: (client: RawClient) => void = () => undefined;

process.on('message', (request: LoadRequest) => {
  handle(request).then(
    (answer) => process.send?.(answer),
    (error: unknown) =>
      process.send?.({ kind: 'failed', message: (error as Error).message } satisfies LoadAnswer),
  );
});
process.on('disconnect', () => process.exit());

async function handle(request: LoadRequest): Promise<LoadAnswer> {
  switch (request.kind) {
    case 'connect':
      await connectAll(request);
      return { kind: 'done', seconds: 0 };
    case 'publish':
      return { kind: 'done', seconds: await publishAll(request) };
    case 'steady':
      publishSteadily(request);
      return { kind: 'done', seconds: 0 };
    case 'received':
      return { kind: 'received', messages: received };
  }
}

async function connectAll(request: LoadRequest & { kind: 'connect' }): Promise<void> {
  for (const client of clients) client.close();
  clients = [];
  received = 0;
  const vehicles = readVehicles(request.vehiclesFile);
  next = eventSource(vehicles, request.refId, request.run, request.topicPrefix);
  for (let n = 0; n < request.connections; n++) {
    const vehicle = request.asVehicles ? vehicles[n] : undefined;
    clients.push(
      await RawClient.connect({
        port: request.port,
        clientId: vehicle?.systemId ?? `load-${request.run}-${n}`,
        ...(vehicle ? { password: simulatedCredential(vehicle.vin) } : {}),
        onPuback: (client) => onPuback(client),
        ...(request.listenTo === undefined || n > 0
          ? {}
          : { subscribe: request.listenTo, onMessage: () => (received += 1) }),
      }),
    );
  }
}

function readVehicles(file: string): TriggeredVehicle[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [vin = '', systemId = '', triggerId = ''] = line.split(' ');
      return { vin, systemId, triggerId };
    });
}

/** As fast as the broker acknowledges. @returns seconds until the last PUBACK */
function publishAll({ from, count, window }: LoadRequest & { kind: 'publish' }): Promise<number> {
  const started = performance.now();
  // Event n goes over connection n modulo the connections: of a vehicle, always the same one.
  const position = new Map(clients.map((client, index) => [client, from + index]));
  let acknowledged = 0;
  const publishNext = (client: RawClient) => {
    const n = position.get(client) ?? from + count;
    if (n >= from + count) return;
    position.set(client, n + clients.length);
    const { topic, payload } = next(n);
    client.publish(topic, payload);
  };
  return new Promise((resolve) => {
    onPuback = (client) => {
      acknowledged += 1;
      if (acknowledged === count) resolve((performance.now() - started) / 1000);
      publishNext(client);
    };
    for (const client of clients) {
      client.cork();
      for (let n = 0; n < window; n++) publishNext(client);
      client.uncork();
    }
  });
}

const STEP_MS = 10;

/** At a rate, until the next request to connect. */
function publishSteadily({ from, perSecond }: LoadRequest & { kind: 'steady' }): void {
  const started = performance.now();
  const mine = clients;
  let sent = 0;
  onPuback = () => undefined;
  const timer = setInterval(() => {
    if (clients !== mine) {
      clearInterval(timer);
      return;
    }
    const due = Math.floor(((performance.now() - started) / 1000) * perSecond);
    for (; sent < due; sent++) {
      const { topic, payload } = next(from + sent);
      clients[(from + sent) % clients.length]?.publish(topic, payload);
    }
  }, STEP_MS);
}
