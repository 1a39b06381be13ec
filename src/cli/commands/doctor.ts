/** `otaops doctor`: whether a running adapter is well, as far as it can be seen from outside. */
import { connect } from 'node:net';
import { type Command } from 'commander';
import { type BrokerHost, parseBrokerUrl } from '../../protocol/index.js';
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
      await token(client),
      ...(await brokers(flags.mqttUrl)),
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

async function token(client: AdapterClient): Promise<Finding> {
  return asked('token', async () => {
    await client.request('GET', path(['ota', 'operations'], { limit: 1 }));
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
