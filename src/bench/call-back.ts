/** Event call-back: throughput of a backlog to a slow receiver, compared with HTTP alone. */
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { receiverApi } from '../contract/adapter-api/index.js';
import { addressGuard, createPoster } from '../service/outgoing/index.js';
import { eventsEndToEnd } from './events.js';
import { median } from './report.js';
import { type Rig, until } from './rig.js';

export interface CallbackRates {
  /** Medians of the rounds, events a second. */
  readonly perSecond: number;
  /** The same requests, posted from memory by the same client. */
  readonly httpAlone: number;
}

/** How long the receiver takes for an answer. */
export const ANSWER_MS = 5;

interface Receiver {
  readonly url: string;
  /** Events in requests that were answered. */
  readonly answered: () => number;
  /** A request as it came. */
  readonly sample: () => string;
  stop(): Promise<void>;
}

/** In this process, which is otherwise idle at that time. */
async function startReceiver(): Promise<Receiver> {
  let answered = 0;
  let sample = '';
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const { body } = JSON.parse(text) as { body: { events: unknown[] } };
      sample = text;
      setTimeout(() => {
        answered += body.events.length;
        response.writeHead(204).end();
      }, ANSWER_MS);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    answered: () => answered,
    sample: () => sample,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The load is connected to an operation; its events are the backlog. */
export async function callbackRates(
  rig: Rig,
  { events, rounds }: { events: number; rounds: number },
): Promise<CallbackRates> {
  const receiver = await startReceiver();
  try {
    await eventsEndToEnd(rig, { from: 0, events, rounds: 1 });
    const { client } = rig.adapter;
    const rates: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const before = receiver.answered();
      const started = performance.now();
      const body = { name: `bench-${round}`, url: receiver.url, after: 0 };
      const { id } = await client.call(receiverApi.addReceiver, { body });
      await until(() => Promise.resolve(receiver.answered() >= before + events), 5);
      rates.push((events / (performance.now() - started)) * 1000);
      await client.call(receiverApi.removeReceiver, { params: { id } });
    }
    const httpAlone: number[] = [];
    for (let round = 0; round < rounds; round++) {
      httpAlone.push(await postAgain(receiver, events));
    }
    return { perSecond: median(rates), httpAlone: median(httpAlone) };
  } finally {
    await receiver.stop();
  }
}

async function postAgain(receiver: Receiver, events: number): Promise<number> {
  const poster = createPoster(addressGuard(['127.0.0.0/8']));
  const text = receiver.sample();
  const before = receiver.answered();
  const started = performance.now();
  while (receiver.answered() < before + events) await poster.post(receiver.url, {}, text);
  const perSecond = ((receiver.answered() - before) / (performance.now() - started)) * 1000;
  poster.close();
  return perSecond;
}
