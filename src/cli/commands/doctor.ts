/** `otaops doctor`: whether a running adapter is well, as far as it can be seen from outside. */
import { connect } from 'node:net';
import { type Command } from 'commander';
import { type BrokerHost, parseBrokerUrl } from '../../contract/index.js';
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
    description: 'check an adapter with its database, broker and receivers, or a CarOTA Server',
    examples: [
      'otaops doctor',
      'otaops doctor --url https://ota.example --mqtt-url mqtts://b:8883',
    ],
  });
  addSettings(command, [LOCAL_MQTT_URL]);
  command.action(async (flags: CommonFlags & { mqttUrl: string }) => {
    const client = await clientOf(flags);
    const parts = await readiness(flags.url);
    const findings =
      'fault' in parts || 'messageLink' in parts
        ? [
            healthOf('adapter', parts),
            await clock(flags.url),
            await token(client, ['ota', 'operations']),
            ...(await brokers(flags.mqttUrl)),
            ...(await callbacks(client)),
            await deadLetters(client),
          ]
        : [
            healthOf('CarOTA Server', parts),
            await clock(flags.url),
            await token(client, ['schedules']),
          ];
    if (flags.json) printJson(findings);
    else
      for (const { what, ok, detail } of findings)
        print(`${ok ? 'ok  ' : 'BAD '} ${what}: ${detail}`);
    const bad = findings.filter(({ ok }) => !ok).length;
    if (bad > 0) throw new Error(`${bad} of ${findings.length} checks failed`);
  });
}

/** Which part is there, as `/readyz` answers: an adapter has a message link, the CarOTA Server has none. */
type Readiness = Readonly<Record<string, boolean | string>>;

async function readiness(url: string): Promise<Readiness> {
  try {
    const response = await fetch(`${url.replace(/\/$/, '')}/readyz`);
    const parts = (await response.json()) as Record<string, unknown>;
    const { problem } = parts;
    const flags = Object.entries(parts).filter(([, value]) => typeof value === 'boolean');
    if (flags.length === 0) return { fault: 'something else answers at this address' };
    const states = Object.fromEntries(flags) as Record<string, boolean>;
    return typeof problem === 'string' ? { ...states, problem } : states;
  } catch (error) {
    const { cause, message } = error as Error;
    return { fault: cause instanceof Error ? cause.message : message };
  }
}

const NAMES: Readonly<Record<string, string>> = { messageLink: 'message link' };

function healthOf(what: string, { problem, ...parts }: Readiness): Finding {
  if (typeof parts.fault === 'string') return { what, ok: false, detail: parts.fault };
  const states = Object.entries(parts).map(
    ([name, isUp]) => `${NAMES[name] ?? name} ${isUp ? 'up' : 'DOWN'}`,
  );
  const detail = states.join(', ') + (problem === undefined ? '' : `: ${problem}`);
  return { what, ok: problem === undefined && Object.values(parts).every(Boolean), detail };
}

/** From outside, as Prometheus sees it; needs no token. */
async function clock(url: string): Promise<Finding> {
  return asked('clock', async () => {
    const response = await fetch(`${url.replace(/\/$/, '')}/metrics`);
    const value = new RegExp(`^${CLOCK_OFFSET.name} (\\S+)$`, 'm').exec(await response.text())?.[1];
    if (value === undefined) return { ok: false, detail: 'the server does not say' };
    const seconds = Number(value);
    const side = seconds < 0 ? 'behind' : 'ahead of';
    return {
      ok: Math.abs(seconds) <= WARN_SECONDS,
      detail: `the server’s machine is ${Math.abs(seconds).toFixed(2)} s ${side} the database`,
    };
  });
}

async function token(client: AdapterClient, list: readonly string[]): Promise<Finding> {
  return asked('token', async () => {
    await client.request('GET', path(list, { limit: 1 }));
    return { ok: true, detail: 'is accepted' };
  });
}

const brokers = (url: string): Promise<Finding[]> =>
  Promise.all(parseBrokerUrl(url).hosts.map(broker));

function broker({ host, port }: BrokerHost): Promise<Finding> {
  return new Promise((resolve) => {
    const tell = (ok: boolean, detail: string) => {
      socket.destroy();
      resolve({ what: 'MQTT broker', ok, detail: `${host}:${port} ${detail}` });
    };
    const socket = connect(port, host);
    socket.setTimeout(CONNECT_MS, () => tell(false, 'does not answer'));
    socket.once('connect', () => tell(true, 'takes connections'));
    socket.once('error', (error) => tell(false, error.message));
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
