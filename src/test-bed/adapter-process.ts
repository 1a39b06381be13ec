/** An adapter in a separate process: the built command `otaops serve`. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client, serviceApi } from '../contract/index.js';

/** The same from `src` and from `dist`. */
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

const SECRET_KEY_SETTING = 'OTAOPS_SECRET_KEY';
/** Of all adapters on a database. */
const SECRET_KEY = Buffer.alloc(32, 7).toString('base64');

export interface AdapterProcessOptions {
  readonly dataDir: string;
  readonly databaseUrl?: string;
  readonly mqttUrl?: string;
  readonly instance?: string;
  /** Ports that must stay the same across a restart; default: any free ones. */
  readonly httpPort?: number;
  readonly mqttPort?: number;
  /** Folder of another built release; default: this one. */
  readonly release?: string | undefined;
  /** Added to its environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface AdapterProcess {
  readonly child: ChildProcess;
  readonly httpUrl: string;
  /** The initial admin token. */
  readonly token: string;
  /** Port of the broker that vehicles connect to. */
  readonly mqttPort: number;
  /** With the initial admin token. */
  readonly client: Client;
  /** The metrics without labels, read at one moment. */
  metrics(): Promise<Map<string, number>>;
  /** Shuts it down cleanly. @returns its exit code */
  stop(): Promise<number | null>;
}

/** Resolves when it is ready. @throws Error with its output if it ends instead */
export async function startAdapterProcess(options: AdapterProcessOptions): Promise<AdapterProcess> {
  const { dataDir, databaseUrl, mqttUrl, instance, release } = options;
  const main = release === undefined ? MAIN : join(release, 'dist/cli/main.js');
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
  const child = spawn(process.execPath, [...process.execArgv, main, 'serve', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(await secretKeyFor(main, release)), ...options.environment },
  });
  const { httpUrl, mqttPort } = await readyLines(child);
  const token = (await readFile(join(dataDir, 'token'), 'utf8')).trim();

  const client = new Client({ url: httpUrl, token });
  const adapter: AdapterProcess = {
    child,
    httpUrl,
    token,
    mqttPort,
    client,
    async metrics() {
      const text = await (await client.open(serviceApi.getMetrics, {})).text();
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

/** A release from before secrets were encrypted would refuse to start with the key: it refuses settings it does not know. */
async function secretKeyFor(
  main: string,
  release: string | undefined,
): Promise<Record<string, string>> {
  const environment = { [SECRET_KEY_SETTING]: SECRET_KEY };
  if (release === undefined) return environment;
  const { stdout } = await promisify(execFile)(process.execPath, [main, 'serve', '--help']);
  return stdout.includes(SECRET_KEY_SETTING) ? environment : {};
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

async function connected({ client }: AdapterProcess): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const response = await client.open(serviceApi.getReadiness, {});
    await response.body?.cancel();
    if (response.ok) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error('the adapter did not become ready');
}
