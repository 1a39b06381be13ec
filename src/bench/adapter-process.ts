/** An adapter as a process of its own: the built command `otaops serve`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The same from `src` and from `dist`. */
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface AdapterProcessOptions {
  readonly dataDir: string;
  readonly databaseUrl?: string;
  readonly mqttUrl?: string;
  readonly instance?: string;
  /** Ports that must not change over a restart; any free ones else. */
  readonly httpPort?: number;
  readonly mqttPort?: number;
  /** Added to its environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface AdapterProcess {
  readonly child: ChildProcess;
  readonly httpUrl: string;
  /** Of the first administrator. */
  readonly token: string;
  /** Port of the broker that vehicles connect to. */
  readonly mqttPort: number;
  readonly call: <T>(
    method: string,
    path: string,
    body?: unknown,
    contentType?: string,
  ) => Promise<T>;
  /** The metrics without labels, read at one moment. */
  metrics(): Promise<Map<string, number>>;
  /** Ends it in order. @returns its exit code */
  stop(): Promise<number | null>;
}

/** Resolves when it is ready. @throws Error with its output where it ends instead */
export async function startAdapterProcess(options: AdapterProcessOptions): Promise<AdapterProcess> {
  const { dataDir, databaseUrl, mqttUrl, instance } = options;
  const flags = Object.entries({
    '--data-dir': dataDir,
    '--http-port': String(options.httpPort ?? 0),
    '--mqtt-port': String(options.mqttPort ?? 0),
    '--database-url': databaseUrl,
    '--mqtt-url': mqttUrl,
    '--instance': instance,
    // Receivers of benchmarks and tests are on this machine.
    '--callback-allow': '127.0.0.0/8',
    '--log-level': 'warn',
  }).flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
  const child = spawn(process.execPath, [...process.execArgv, MAIN, 'serve', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.environment },
  });
  const { httpUrl, mqttPort } = await readyLines(child);
  const token = (await readFile(join(dataDir, 'token'), 'utf8')).trim();

  const call = async <T>(
    method: string,
    path: string,
    body?: unknown,
    contentType = 'application/json',
  ) => {
    const isText = typeof body === 'string';
    const response = await fetch(httpUrl + path, {
      method,
      headers: {
        'authorization-token': token,
        ...(body === undefined ? {} : { 'content-type': contentType }),
      },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    const isJson = (response.headers.get('content-type') ?? '').includes('json');
    return (isJson ? JSON.parse(text) : text) as T;
  };
  const adapter: AdapterProcess = {
    child,
    httpUrl,
    token,
    mqttPort,
    call,
    async metrics() {
      const text = await call<string>('GET', '/metrics');
      const lines = text.matchAll(/^([a-z_]+) (\S+)$/gm);
      return new Map(Array.from(lines, ([, name = '', value]) => [name, Number(value)]));
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
      return child.exitCode;
    },
  };
  await connected(adapter);
  return adapter;
}

function readyLines(child: ChildProcess): Promise<{ httpUrl: string; mqttPort: number }> {
  return new Promise((resolve, reject) => {
    let output = '';
    const take = (chunk: Buffer) => {
      output += chunk.toString();
      const httpUrl = /HTTP interface\s+(http:\S+)/.exec(output)?.[1];
      const mqttPort = /MQTT broker\s+\w+:\/\/[^:]+:(\d+)/.exec(output)?.[1];
      if (httpUrl !== undefined && mqttPort !== undefined) {
        resolve({ httpUrl, mqttPort: Number(mqttPort) });
      }
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.once('exit', (code) => reject(new Error(`otaops serve ended with ${code}:\n${output}`)));
  });
}

const POLL_MS = 20;

async function connected({ call }: AdapterProcess): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const ready = await call('GET', '/readyz').then(
      () => true,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error('the adapter did not become ready');
}
