/** A foreign HTTP server: answers as a test specifies, and records its requests. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, type Socket } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly token: string | undefined;
  readonly contentType: string | undefined;
  readonly body: string;
}

export interface ForeignServer {
  readonly port: number;
  readonly url: string;
  readonly asked: Asked[];
  /** The n-th answer is for the n-th request; the last is for all further ones. */
  answer(...answers: ((response: ServerResponse, request: IncomingMessage) => void)[]): void;
  stop(): Promise<void>;
}

export async function startForeignServer(host = '127.0.0.1'): Promise<ForeignServer> {
  let answers: Parameters<ForeignServer['answer']> = [];
  const asked: Asked[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    const next = answers.length > 1 ? answers.shift() : answers[0];
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('error', () => undefined);
    request.on('end', () => {
      const token = headers['authorization-token'] as string | undefined;
      asked.push({ method, url, token, contentType: headers['content-type'], body });
      next?.(response, request);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    asked,
    answer(...given) {
      asked.length = 0;
      answers = given;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

export const send =
  (status: number, body = '', headers: Record<string, string> = {}) =>
  (response: ServerResponse): void =>
    void response.writeHead(status, headers).end(body);

export const sendJson = (value: unknown, status = 200, headers: Record<string, string> = {}) =>
  send(status, JSON.stringify(value), { 'content-type': 'application/json', ...headers });
