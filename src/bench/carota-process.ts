/** A CarOTA Server in a separate process, the built command `otaops carota`, and an adapter that accepts everything. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '../contract/index.js';

/** The same from `src` and from `dist`. */
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface CarotaProcess {
  readonly child: ChildProcess;
  readonly port: number;
  /** The initial admin token. */
  readonly token: string;
  readonly client: Client;
  stop(): Promise<void>;
}

export async function startCarotaProcess(options: {
  readonly dataDir: string;
  readonly databaseUrl: string;
  /** Folder of the release to run; this one else. */
  readonly release?: string | undefined;
}): Promise<CarotaProcess> {
  const adapter = await startAcceptingAdapter();
  const flags = [
    ...['--data-dir', options.dataDir, '--http-port', '0', '--database-url', options.databaseUrl],
    ...['--adapter-url', adapter.url, '--adapter-token', 'bench', '--log-level', 'warn'],
  ];
  const { release } = options;
  const main = release === undefined ? MAIN : join(resolve(release), 'dist', 'cli', 'main.js');
  const child = spawn(process.execPath, [...process.execArgv, main, 'carota', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const httpUrl = await readyLine(child);
  const token = (await readFile(join(options.dataDir, 'token'), 'utf8')).trim();
  return {
    child,
    port: Number(new URL(httpUrl).port),
    token,
    client: new Client({ url: httpUrl, token }),
    async stop() {
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
      adapter.stop();
    },
  };
}

function readyLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const take = (chunk: Buffer) => {
      output += chunk.toString();
      const httpUrl = /HTTP interface\s+(http:\S+)/.exec(output)?.[1];
      if (httpUrl !== undefined) resolve(httpUrl);
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.once('exit', (code) => reject(new Error(`otaops carota ended with ${code}:\n${output}`)));
  });
}

/** Says of every trigger that all of its vehicles are accepted. */
async function startAcceptingAdapter() {
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const { body } = JSON.parse(text) as { body: { 'ref-id': string; vins: string[] } };
      response.writeHead(202, { 'content-type': 'application/json' });
      const accepted = body.vins.length;
      const answer = { 'ref-id': body['ref-id'], accepted, rejectedCount: 0, rejected: [] };
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
