/** `otaops doctor`: whether a running adapter is well, as far as it can be seen from outside. */
import { connect } from 'node:net';
import { type Command } from 'commander';
import { CLOCK_OFFSET, WARN_SECONDS } from '../../service/clock/index.js';
import { type AdapterClient, path, RequestRefused } from '../adapter-client.js';
import { adapterCommand, clientOf, type CommonFlags } from '../adapter-command.js';
import { print, printJson } from '../output.js';
import { addSettings, LOCAL_MQTT_URL } from '../settings/index.js';

interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly detail: string;
}

interface Receiver {
  readonly name: string;
  readonly behind: number;
  readonly failures: number;
  readonly failure: string | null;
}

const CONNECT_MS = 3_000;

export function doctorCommand(program: Command): void {
  const command = adapterCommand(program, {
    usage: 'doctor',
    description: 'check that an adapter, its database, broker and receivers are well',
    examples: [
      'otaops doctor',
      'otaops doctor --url https://ota.example --mqtt-url mqtts://b:8883',
    ],
  });
  addSettings(command, [LOCAL_MQTT_URL]);
  command.action(async (flags: CommonFlags & { mqttUrl: string }) => {
    const client = await clientOf(flags);
    const findings = [
      await health(flags.url),
      await clock(flags.url),
      await token(client),
      await broker(flags.mqttUrl),
      ...(await callbacks(client)),
      await deadLetters(client),
    ];
    if (flags.json) printJson(findings);
    else
      for (const { what, ok, detail } of findings)
        print(`${ok ? 'ok  ' : 'BAD '} ${what}: ${detail}`);
    const bad = findings.filter(({ ok }) => !ok).length;
    if (bad > 0) throw new Error(`${bad} of ${findings.length} checks failed`);
  });
}

async function health(url: string): Promise<Finding> {
  const what = 'adapter';
  try {
    const response = await fetch(`${url.replace(/\/$/, '')}/readyz`);
    const body = (await response.json()) as { database: boolean; messageLink: boolean };
    const detail = `database ${body.database ? 'up' : 'DOWN'}, message link ${body.messageLink ? 'up' : 'DOWN'}`;
    return { what, ok: response.ok, detail };
  } catch (error) {
    const { cause, message } = error as Error;
    return { what, ok: false, detail: cause instanceof Error ? cause.message : message };
  }
}

/** From outside, as Prometheus sees it; needs no token. */
async function clock(url: string): Promise<Finding> {
  return asked('clock', async () => {
    const response = await fetch(`${url.replace(/\/$/, '')}/metrics`);
    const value = new RegExp(`^${CLOCK_OFFSET.name} (\\S+)$`, 'm').exec(await response.text())?.[1];
    if (value === undefined) return { ok: false, detail: 'the adapter does not say' };
    const seconds = Number(value);
    const side = seconds < 0 ? 'behind' : 'ahead of';
    return {
      ok: Math.abs(seconds) <= WARN_SECONDS,
      detail: `the adapter’s machine is ${Math.abs(seconds).toFixed(2)} s ${side} the database`,
    };
  });
}

async function token(client: AdapterClient): Promise<Finding> {
  return asked('token', async () => {
    await client.request('GET', path(['ota', 'operations'], { limit: 1 }));
    return { ok: true, detail: 'is accepted' };
  });
}

function broker(url: string): Promise<Finding> {
  const { hostname, port, protocol } = new URL(url);
  const defaultPort = { 'mqtts:': 8883, 'ws:': 80, 'wss:': 443 }[protocol] ?? 1883;
  return new Promise((resolve) => {
    const tell = (ok: boolean, detail: string) => {
      socket.destroy();
      resolve({ what: 'MQTT broker', ok, detail });
    };
    const socket = connect(Number(port) || defaultPort, hostname);
    socket.setTimeout(CONNECT_MS, () => tell(false, `${url} does not answer`));
    socket.once('connect', () => tell(true, `${url} takes connections`));
    socket.once('error', (error) => tell(false, `${url}: ${error.message}`));
  });
}

async function callbacks(client: AdapterClient): Promise<Finding[]> {
  let receivers: Receiver[] = [];
  const list = await asked('call-back', async () => {
    ({ items: receivers } = await client.request<{ items: Receiver[] }>(
      'GET',
      path(['callbacks']),
    ));
    return { ok: true, detail: `${receivers.length} receivers` };
  });
  return [
    list,
    ...receivers.map(({ name, behind, failures, failure }) => ({
      what: `call-back to ${name}`,
      ok: failures === 0,
      detail: `${behind} events behind${failures === 0 ? '' : `, ${failures} failures: ${failure ?? ''}`}`,
    })),
  ];
}

/** Some are nothing to worry about; they are counted for whoever looks. */
async function deadLetters(client: AdapterClient): Promise<Finding> {
  return asked('dead letters', async () => {
    const query = { replayed: false, limit: 1 };
    const { items } = await client.request<{ items: { reason: string }[] }>(
      'GET',
      path(['dead-letters'], query),
    );
    const newest = items[0];
    return { ok: true, detail: newest ? `there are some, the newest: ${newest.reason}` : 'none' };
  });
}

async function asked(
  what: string,
  ask: () => Promise<{ ok: boolean; detail: string }>,
): Promise<Finding> {
  try {
    return { what, ...(await ask()) };
  } catch (error) {
    const code = error instanceof RequestRefused ? `${error.code}: ` : '';
    return { what, ok: false, detail: code + (error as Error).message };
  }
}
