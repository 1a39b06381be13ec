/** An event receiver: an HTTP server that records its requests. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo } from 'node:net';

export interface ReceivedEvent {
  readonly 'event-id': string;
  readonly 'ref-id': string;
  readonly vin: string;
  readonly device_id: string;
  readonly device_type: string;
  readonly status: number;
  readonly 'status-name': string;
  readonly meta: readonly { key: string; value: string }[];
  readonly timestamp: number;
  readonly 'received-at': number;
}

export interface ReceivedRequest {
  readonly headers: IncomingHttpHeaders;
  /** Raw body, for the signature. */
  readonly text: string;
  readonly events: readonly ReceivedEvent[];
  /** Response status. */
  readonly answer: number;
}

type Answer = number | 'hang' | ((events: readonly ReceivedEvent[]) => number | Promise<number>);

export interface TestReceiver {
  readonly url: string;
  readonly requests: ReceivedRequest[];
  /** Events of requests that were answered 2xx. */
  settled(): ReceivedEvent[];
  /** Response to the next requests, or a function that decides it; `hang`: no response. */
  answer: Answer;
  readonly answerHeaders: Record<string, string>;
  stop(): Promise<void>;
}

export async function startReceiver(port = 0): Promise<TestReceiver> {
  const requests: ReceivedRequest[] = [];
  const receiver: { answer: Answer; answerHeaders: Record<string, string> } = {
    answer: 204,
    answerHeaders: {},
  };
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (text += chunk));
    const answered = async () => {
      if (receiver.answer === 'hang') return;
      const { body } = JSON.parse(text) as { body: { events: ReceivedEvent[] } };
      const answer =
        typeof receiver.answer === 'number' ? receiver.answer : await receiver.answer(body.events);
      requests.push({ headers: request.headers, text, events: body.events, answer });
      response.writeHead(answer, receiver.answerHeaders).end();
    };
    request.on('end', () => void answered());
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${address.port}/events`,
    requests,
    settled: () =>
      requests.filter(({ answer }) => answer < 300).flatMap((request) => request.events),
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  });
}
